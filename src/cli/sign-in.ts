import { readFileSync } from "node:fs";

import { ConfigurationError } from "../config/environment.ts";
import type { SignIn } from "../http/routes-sign-in.ts";
import type { Revocation } from "../ca/revocation.ts";
import { createDeputies } from "../lifecycle/deputies.ts";
import { createDesk } from "../lifecycle/desk.ts";
import { createDeviceHolds } from "../lifecycle/device-holds.ts";
import { createWaySignIn } from "../lifecycle/way-sign-in.ts";
import { createOpenId } from "../staff/openid.ts";
import { createPersonSessions } from "../staff/person-sessions.ts";
import type { Database } from "../storage/database.ts";
import type { Opening } from "./opening.ts";

function secretIn(file: string): string {
  try {
    const secret = readFileSync(file, "utf8").trim();
    if (secret !== "") return secret;
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    throw new ConfigurationError([`SUIDO_OIDC_CLIENT_SECRET_FILE cannot be read: ${reason}`]);
  }
  throw new ConfigurationError(["SUIDO_OIDC_CLIENT_SECRET_FILE is empty"]);
}

/** Signing in with the site's provider, where it has one. Nothing is asked of the provider before somebody does. */
export function openSignIn(
  { config, system }: Opening,
  { database, revocation }: { readonly database: Database; readonly revocation: Revocation },
): SignIn | undefined {
  const { signInProvider } = config;
  if (signInProvider === undefined) return undefined;
  const { clientSecretFile, clientSecret, ...provider } = signInProvider;
  return {
    openId: createOpenId({
      ...system,
      provider: {
        ...provider,
        clientSecret: clientSecretFile === undefined ? clientSecret : secretIn(clientSecretFile),
      },
      redirectUri: `${config.app.url}/sign-in/callback`,
    }),
    personSessions: createPersonSessions({ ...system, database }),
    waySignIn: createWaySignIn({ ...system, database }),
    desk: createDesk({ ...system, database }),
    deputies: createDeputies({ ...system, database }),
    deviceHolds: createDeviceHolds({ ...system, database, revocation }),
  };
}
