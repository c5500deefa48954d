import { readFileSync } from "node:fs";

const read = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** The program's version, as its package says. */
export const { version } = read;
