/** How calls for one thing each become calls for many. */
export interface Gathering<K, V> {
  /** Answers all of them, in their order. What it throws, each of them is told. */
  readonly many: (asked: readonly K[]) => Promise<readonly (V | Promise<V>)[]>;
  /** At most so many in one call. */
  readonly most: number;
  /** At most so many calls at a time. What is asked meanwhile waits, and goes together. */
  readonly atOnce: number;
}

interface Waiter<K, V> {
  readonly asked: K;
  readonly resolve: (answer: V | Promise<V>) => void;
  readonly reject: (error: unknown) => void;
}

async function answerAll<K, V>(
  many: Gathering<K, V>["many"],
  waiters: readonly Waiter<K, V>[],
): Promise<void> {
  try {
    const answers = await many(waiters.map(({ asked }) => asked));
    if (answers.length !== waiters.length) throw new Error("not as many answers as questions");
    for (const [i, { resolve }] of waiters.entries()) resolve(answers[i] as V | Promise<V>);
  } catch (error) {
    for (const { reject } of waiters) reject(error);
  }
}

/**
 * A function for one that calls `many`. Nobody waits for others to come, but what one turn of the event loop brings in, or
 * comes while calls are under way, goes together: under load a message to another process serves several requests, and
 * alone each is answered as soon as before.
 */
export function gathered<K, V>({ many, most, atOnce }: Gathering<K, V>): (asked: K) => Promise<V> {
  const waiting: Waiter<K, V>[] = [];
  let underWay = 0;
  const work = async (): Promise<void> => {
    underWay++;
    await new Promise(setImmediate);
    while (waiting.length > 0) await answerAll(many, waiting.splice(0, most));
    underWay--;
  };
  return (asked) => {
    const { promise, resolve, reject } = Promise.withResolvers<V>();
    waiting.push({ asked, resolve, reject });
    if (underWay < atOnce) void work();
    return promise;
  };
}
