/** What a change really changes: fields that are given and differ from what is there. */
export interface Changes<T extends object> {
  readonly data: Partial<T>;
  readonly fields: readonly (keyof T & string)[];
}

/** Compares a patch with the current values. Fields that are undefined stay as they are. */
export function changesOf<T extends object>(
  current: T,
  patch: { readonly [K in keyof T]?: T[K] | undefined },
): Changes<T> {
  const fields = (Object.keys(patch) as (keyof T & string)[]).filter(
    (field) => patch[field] !== undefined && !same(current[field], patch[field]),
  );
  return {
    fields,
    data: Object.fromEntries(fields.map((field) => [field, patch[field]])) as Partial<T>,
  };
}

function same(a: unknown, b: unknown): boolean {
  return a instanceof Date && b instanceof Date ? a.getTime() === b.getTime() : a === b;
}
