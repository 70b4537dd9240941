import * as entry from '../../../dist/index.js';
export const names = Object.keys(entry);
export const call = async () => (names.length > 0 ? 200 : 0);