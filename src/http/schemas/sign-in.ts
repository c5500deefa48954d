import { closed, Id, line } from "./common.ts";

/** With which account somebody goes on, and what for. */
export const SignInAccount = closed({ account: Id, to: line(20) });
