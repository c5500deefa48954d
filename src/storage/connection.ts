import type { ClientConfig } from "pg";

/** The roles that one may become. They cannot log in: the login of DATABASE_URL is a member of all and only does SET ROLE. */
export type Role = "suido_owner" | "suido_app" | "suido_va" | "suido_signer" | "suido_worker";

export interface ConnectionOptions {
  readonly url: string;
  readonly role: Role;
  readonly applicationName: string;
}

/** A server that does not answer is reported soon, because somebody waits. */
const CONNECT_TIMEOUT_MS = 3_000;

/** No statement of ours takes long; one that does holds locks that others wait for. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** Behind suido_app somebody waits for an answer: 503 after five seconds is one, silence is none. */
const APP_STATEMENT_TIMEOUT_MS = 4_000;

/** A server that hangs cannot keep its own time: a little later we stop waiting for it ourselves. */
const HANGING_MS = 1_000;

/** A transaction waits neither for network nor for mail nor for the signer, so one that idles is a fault. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;

/**
 * What these two ask is about a few rows, however many there are. A plan that is made while a table is small, and kept as
 * long as its connection, would otherwise read all of it when it has grown.
 */
const BY_INDEX = "-c enable_seqscan=off -c jit=off";

/** How soon the kernel begins to ask whether a silent connection still lives. */
const KEEPALIVE_DELAY_MS = 10_000;

/**
 * Settings of a connection that works as one role. The role and the time zone go into the start-up message: no statement
 * can run before them. UTC is demanded because Prisma's adapter sends times without an offset, which the server would take
 * for its own local time.
 */
export function connectionConfig({ url, role, applicationName }: ConnectionOptions): ClientConfig {
  const { bare, options } = takeOptions(url);
  const patience = role === "suido_app" ? APP_STATEMENT_TIMEOUT_MS : STATEMENT_TIMEOUT_MS;
  return {
    connectionString: bare,
    options: [options, `-c role=${role}`, "-c timezone=UTC", readsByIndex(role) ? BY_INDEX : ""]
      .filter((part) => part !== "")
      .join(" "),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: patience,
    query_timeout: patience + HANGING_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
  };
}

const readsByIndex = (role: Role): boolean => role === "suido_app" || role === "suido_signer";

/** What stands in the URL wins over the settings beside it, so `options` in it would silently drop the role. */
function takeOptions(url: string): { bare: string; options: string } {
  const mark = url.indexOf("?");
  if (mark < 0) return { bare: url, options: "" };
  const parameters = new URLSearchParams(url.slice(mark + 1));
  const options = parameters.get("options") ?? "";
  for (const name of ["options", "application_name", "statement_timeout"]) parameters.delete(name);
  const rest = parameters.toString();
  return { bare: rest === "" ? url.slice(0, mark) : `${url.slice(0, mark)}?${rest}`, options };
}
