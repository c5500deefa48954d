import type { FastifyInstance } from "fastify";

/** What an address answers to, by pattern: Fastify only knows that a method is not among them. */
export interface AllowedMethods {
  /** The methods of the routes that match a path, or none. */
  of(path: string): readonly string[];
}

/** Patterns have literal segments and `:name`; a last `*` takes the rest. */
function matches(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.at(-1) === "*") {
    return (
      path.length >= pattern.length &&
      matches(pattern.slice(0, -1), path.slice(0, pattern.length - 1))
    );
  }
  return (
    pattern.length === path.length &&
    pattern.every((segment, index) =>
      segment.startsWith(":") ? path[index] !== "" : segment === path[index],
    )
  );
}

/** Notes each route that is added from now on. */
export function watchMethods(app: FastifyInstance): AllowedMethods {
  const methods = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const known = methods.get(url) ?? new Set<string>();
    for (const each of [method].flat()) known.add(each);
    methods.set(url, known);
  });
  return {
    of(path) {
      const segments = path.split("/");
      const found = [...methods].filter(([pattern]) => matches(pattern.split("/"), segments));
      return [...new Set(found.flatMap(([, each]) => Array.from(each)))].toSorted();
    },
  };
}
