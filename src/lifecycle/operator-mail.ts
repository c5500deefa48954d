import type { JsonObject } from "../audit/record.ts";
import type { MailKind, MailOccasion } from "../delivery/mail-delivery.ts";
import type { MailContent } from "../delivery/mail-message.ts";
import type { Sql } from "../storage/sql.ts";
import { type DateStyle, dayOf, timeOf } from "./dates.ts";
import type { Lag } from "./party-watch.ts";
import { mailPage, paragraph } from "./mail-page.ts";
import { LIFECYCLE_MESSAGES, type OperatorTopic, type OperatorWords } from "./messages.ts";

/** Who looks after Suido, and in which language they read. */
export interface OperatorMail {
  readonly address: string;
  readonly language: "ja" | "en";
}

/** Something that an operator should know, once. */
export interface OperatorNews {
  readonly key: string;
  readonly about: string;
  readonly facts: JsonObject & { readonly topic: OperatorTopic };
  readonly now: Date;
}

/** Plans a mail to the operators. False when there was one with this key. */
export async function planOperatorMail(
  sql: Sql,
  { address, language }: OperatorMail,
  { key, about, facts, now }: OperatorNews,
): Promise<boolean> {
  const [row] = await sql.query<{ planned: boolean }>(
    "select app.plan_operator_mail($1, $2, $3, $4, $5, $6) as planned",
    [key, about, address, language, JSON.stringify(facts), now],
  );
  return row?.planned === true;
}

/** Where links lead, and the zone of dates. */
export interface OperatorMailSettings {
  readonly appUrl: string;
  readonly timeZone: string;
}

/** The operators' mails as a kind of mail. */
export function operatorMails(settings: OperatorMailSettings): MailKind {
  return { write: (occasion) => write(occasion, settings) };
}

function write(
  { facts, language, now }: MailOccasion,
  { appUrl, timeZone }: OperatorMailSettings,
): MailContent {
  const messages = LIFECYCLE_MESSAGES[language].operator;
  const style = { language, timeZone };
  const { examples, words } = wordsOf(facts as JsonObject & OperatorFacts, style);
  const link = `${appUrl}/console?lang=${language}`;
  return mailPage({
    language,
    subject: words.subject,
    title: words.title,
    blocks: [
      paragraph(words.what),
      ...examples.map((each) => ({ kind: "item", text: each }) as const),
    ],
    todo: words.todo,
    button: { label: messages.console, link },
    foot: [messages.foot(dayOf(now, style))],
  });
}

/** What the news says in the reader's language, and a line for each example. */
function wordsOf(
  news: OperatorFacts,
  style: DateStyle,
): { readonly words: OperatorWords; readonly examples: readonly string[] } {
  const messages = LIFECYCLE_MESSAGES[style.language].operator;
  const day = (time: string): string => dayOf(new Date(time), style);
  switch (news.topic) {
    case "untold":
      return {
        words: messages.untold(news.count),
        examples: news.examples.map(({ pharmacy, device, notAfter }) =>
          messages.untoldExample({ pharmacy, device, at: day(notAfter) }),
        ),
      };
    case "returned":
      return {
        words: messages.returned(news.count),
        examples: news.examples.map(({ address }) => address),
      };
    case "ending":
      return { words: messages.ending({ what: news.what, at: day(news.notAfter) }), examples: [] };
    case "root-session":
      return {
        words: messages.rootSession({ what: news.what, at: day(news.notAfter) }),
        examples: [],
      };
    case "lagging": {
      const { party, since, why } = news;
      const at = `${day(since)} ${timeOf(new Date(since), style)}`;
      return { words: messages.lagging({ party, at, why }), examples: [] };
    }
  }
}

type OperatorFacts =
  | {
      readonly topic: "untold";
      readonly count: number;
      readonly examples: readonly {
        readonly pharmacy: string;
        readonly device: string;
        readonly notAfter: string;
      }[];
    }
  | {
      readonly topic: "returned";
      readonly count: number;
      readonly examples: readonly { readonly address: string }[];
    }
  | {
      readonly topic: "ending" | "root-session";
      readonly what: string;
      readonly notAfter: string;
    }
  | {
      readonly topic: "lagging";
      readonly party: string;
      readonly since: string;
      readonly why: Lag;
    };
