export { type InstrumentOptions, instrument } from './otel/instrument.ts';
