/** Connections of one process of the VA: one statement at a time, and one more while it catches up. */
export const VA_CONNECTIONS = 3;
