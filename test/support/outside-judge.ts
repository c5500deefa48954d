import { execFile } from "node:child_process";

export interface Said {
  readonly code: number;
  /** Standard output and standard error, one after the other. */
  readonly text: string;
}

/** Runs an outside judge that talks to a server in this very process, so nothing may block meanwhile. */
export function ask(tool: string, args: readonly string[]): Promise<Said> {
  return new Promise((resolve, reject) => {
    execFile(tool, args, { encoding: "utf8", timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === "number") resolve({ code, text: stdout + stderr });
      else reject(error ?? new Error(`${tool} did not end`));
    });
  });
}
