// CommonJS in an ESM package, because only `require` can be tried: see `limit/installed-bottleneck.cjs`. As a field, since some bundlers
// take the `default` of whatever says that it was ESM once, and this has none.
try {
  exports.api = require('@opentelemetry/api');
} catch (error) {
  if (error?.code !== 'MODULE_NOT_FOUND') throw error;
}
