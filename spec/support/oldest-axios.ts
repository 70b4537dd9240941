/** What axios 1.7 itself does otherwise than what the specs expect of the newest: these are left out where it is the axios of the specs. */
const OTHERWISE = [
  // Its http adapter rejects with an error without a response where an answer breaks off, so no status is shown.
  'an answer that breaks off (a body that ends before|an end in a body of known length)',
  'encoded bodies gzip (that|with)',
  // It takes a redirect with maxRedirects: 0 for an answer, without a code; under fetch it fails.
  'redirects a redirect with maxRedirects: 0',
  // Its fetch adapter asks no `env.fetch` (axios does from 1.12 on), and tells nothing else of a redirect: it cannot be seen there.
  'a POST that was redirected, over fetch, with \\d+ to a \\d+, is not sent again',
  // Its fetch adapter writes no boundary of its own, and takes no async iterable, no user in a URL, no bound of a body.
  'fetch adapter (of native FormData has identical parts|goes out whole each time: native FormData)',
  'an async iterable over the fetch adapter',
  'over fetch, a server that repeats all it is told brings to no light user and password in',
  'over the fetch adapter does not retry (an answer above maxContentLength|a body above maxBodyLength)',
  // It refuses a header with a line break instead of stripping that.
  'have lost their line breaks, as bare axios strips them',
  // There is no other copy then.
  'the copies are others indeed',
];

export const SAME_UNDER_AXIOS_1_7 = new RegExp(`^(?!.*(?:${OTHERWISE.join('|')}))`, 's');
