// CommonJS in an ESM package, because only `require` can be tried: an import that fails says nothing of ours, and a bundle for
// CommonJS cannot await one.
try {
  module.exports = require('bottleneck');
} catch (error) {
  if (error?.code !== 'MODULE_NOT_FOUND') throw error;
  // Not thrown from here: Node 20 then ends the process, though the import that brought it here is caught.
  module.exports = undefined;
}
