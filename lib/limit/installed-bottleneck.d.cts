import Bottleneck from 'bottleneck';

/** The optional package, where it is installed. */
declare const installed: typeof Bottleneck | undefined;
export = installed;
