import type { FastifyReply } from "fastify";

import { type InlineStyle, loadHelpStyle } from "../web/assets.ts";
import { helpPage } from "../web/help-page.ts";
import type { Html } from "../web/html.ts";
import type { HelpReason } from "../web/messages/help-en.ts";
import { EMERGENCY_PATH } from "../web/portal-layout.ts";
import type { SiteFacts } from "../web/site.ts";

/** Which help page, and what it shows besides. */
export interface HelpAsked {
  readonly reason: HelpReason;
  /** The certificate's, in hexadecimal. */
  readonly serialNumber?: string;
}

/** The help page, in both languages at once. The reply gets its policy. */
export type HelpPages = (reply: FastifyReply, asked: HelpAsked) => Html;

/**
 * The policy of a page that carries its style: that very style, pictures within it, and nothing else. `formAction` is where
 * its forms, and what they are answered with, may lead.
 */
export function pagePolicy({ source }: InlineStyle, formAction = "'none'"): string {
  return [
    "default-src 'none'",
    `style-src ${source}`,
    "img-src data:",
    "base-uri 'none'",
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
  ].join("; ");
}

/**
 * Loads what all help pages share; `appUrl` is where people go on. Each carries its style, so that what `curl` takes of it is whole; its policy allows that
 * very style and nothing else.
 */
export function loadHelpPages(site: SiteFacts, appUrl: string): HelpPages {
  const emergencyUrl = `${appUrl}${EMERGENCY_PATH}`;
  const style = loadHelpStyle(site);
  const policy = pagePolicy(style);
  return (reply, { reason, serialNumber }) => {
    reply.header("content-security-policy", policy);
    const facts = {
      style,
      site,
      emergencyUrl,
      ...(serialNumber !== undefined && { serialNumber }),
    };
    return helpPage(reason, facts);
  };
}
