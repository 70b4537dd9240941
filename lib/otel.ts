/** @module axios-holdfast/otel */

export { type InstrumentOptions, instrument } from './otel/instrument.ts';
