/** The only way to learn the time: the system's in service, a fixed one in tests. */
export type Clock = () => Date;

/**
 * How far dates that other machines compare with their own clock are set back, in milliseconds: `notBefore`,
 * `thisUpdate` and the published revocation date. One constant for all three, because with different ones CRL
 * and OCSP contradict each other, and with none a proxy whose clock is 8 s behind refuses everybody.
 */
export const BACKDATE_MS = 5 * 60 * 1000;
