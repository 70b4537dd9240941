/** Set up before every spec that a mutant is run against: a property that is wrong shows soon or not at all. */
import fc from 'fast-check';

fc.configureGlobal({ interruptAfterTimeLimit: 200, markInterruptAsFailure: false, endOnFailure: true, seed: 1 });
