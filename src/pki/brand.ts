declare const brand: unique symbol;

/** A value that only the module that owns the brand can make, after checking it. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
