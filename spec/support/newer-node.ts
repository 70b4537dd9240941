const major = Number.parseInt(process.versions.node, 10);

/** What newer majors of Node, each in its newest release, do otherwise than Node 20 where a connection fails. */
export const NEWER_NODE = {
  /** The http agent looks whether a pooled connection has been closed by the server, and makes a new one then. */
  looksBeforeItReuses: major >= 22,
  /** undici knows an answer with `Connection: close` that is cut by a reset, and one with two lengths, by the length that it was told. */
  tellsCutAnswers: major >= 22,
  /** The parser of undici gives no code to what is not HTTP (`HPE_…` until then). */
  leavesParserErrorsWithoutCode: major >= 24,
};
