/** All odd primes below the bound. */
function oddPrimes(below: number): number[] {
  const primes: number[] = [];
  for (let n = 3; n < below; n += 2) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

/** The powers of 65537 modulo a prime. */
function powersOf65537(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return powers;
}

/** How far trial division goes; the cheap faults are all far below. */
const SMALL_PRIMES = oddPrimes(752);

/**
 * ROCA (CVE-2017-15361): each prime of the broken library is k·M + (65537^a mod M) with M the product of the first
 * primes, so the modulus is a power of 65537 modulo each of them. A sound modulus passes for one by chance at 2^-27.
 */
const ROCA_SUBGROUPS = oddPrimes(168).map((prime) => [prime, powersOf65537(prime)] as const);

/** ⌊√n⌋ by Newton's method. */
function squareRoot(n: bigint): bigint {
  let root = 1n << BigInt((n.toString(16).length * 4) / 2 + 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Squares modulo 64: a cheap sieve that spares 52 of 64 square roots. */
const SQUARES_MOD_64: ReadonlySet<bigint> = new Set(
  Array.from({ length: 64 }, (_, i) => BigInt((i * i) % 64)),
);

/** Rounds of Fermat's method: what real generators with close primes fell to within the first. */
const FERMAT_ROUNDS = 100;

/** Whether the two primes are so close together that Fermat's method finds them (CVE-2022-26320). */
function hasClosePrimes(modulus: bigint): boolean {
  let a = squareRoot(modulus - 1n) + 1n;
  for (let round = 0; round < FERMAT_ROUNDS; round++, a++) {
    const square = a * a - modulus;
    if (!SQUARES_MOD_64.has(square & 63n)) continue;
    if (squareRoot(square) ** 2n === square) return true;
  }
  return false;
}

/**
 * Why an RSA key can be broken or must not be used, or undefined. The exponent is odd, at least 65537 (FIPS 186-5
 * §5.1) and, stricter, fits the 32 bits that CryptoAPI has for it.
 */
export function rsaWeakness(modulus: bigint, exponent: bigint): string | undefined {
  if (exponent < 65537n || exponent % 2n === 0n || exponent >= 1n << 32n)
    return "the RSA exponent is even or out of range";
  if (modulus % 2n === 0n || SMALL_PRIMES.some((prime) => modulus % BigInt(prime) === 0n))
    return "the RSA modulus has a small factor";
  if (ROCA_SUBGROUPS.every(([prime, powers]) => powers.has(Number(modulus % BigInt(prime)))))
    return "the RSA key has the ROCA fingerprint";
  return hasClosePrimes(modulus) ? "the RSA primes are too close together" : undefined;
}
