/** Whether an error is the one that Node.js gives this code: `ENOENT`, `EEXIST`, … */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
