import { EN, type Messages } from "./messages/en.ts";
import { JA } from "./messages/ja.ts";
import { PROBLEMS_EN, type ProblemText, type ShownCode } from "./messages/problems-en.ts";
import { PROBLEMS_JA } from "./messages/problems-ja.ts";

/** The languages that pages speak. */
export type Language = "ja" | "en";

/** All words of one language. */
export interface Catalogue {
  readonly language: Language;
  readonly messages: Messages;
  readonly problems: Readonly<Record<ShownCode, ProblemText>>;
}

const CATALOGUES: Readonly<Record<Language, Catalogue>> = {
  ja: { language: "ja", messages: JA, problems: PROBLEMS_JA },
  en: { language: "en", messages: EN, problems: PROBLEMS_EN },
};

/** The words of a language. */
export function catalogue(language: Language): Catalogue {
  return CATALOGUES[language];
}

function asLanguage(tag: string): Language | undefined {
  const primary = tag.toLowerCase().split("-", 1)[0];
  return primary === "ja" || primary === "en" ? primary : undefined;
}

/** The languages of an Accept-Language header, the most wanted first (RFC 9110 §12.5.4). */
function accepted(header: string): readonly string[] {
  return header
    .split(",")
    .map((part) => {
      const [tag = "", ...parameters] = part.split(";").map((piece) => piece.trim());
      const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
      return { tag, weight: Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}

/** What a person may have chosen, and where. */
export interface ChoiceSigns {
  /** By the address. */
  readonly asked: string | undefined;
  /** Before, as far as the browser has kept it. */
  readonly kept?: string | undefined;
}

/** The language that a person has chosen; undefined for whoever has not. */
export function chosenLanguage({ asked = "", kept = "" }: ChoiceSigns): Language | undefined {
  return asLanguage(asked) ?? asLanguage(kept);
}

/** The language to answer in: what was chosen, else what the browser prefers, else Japanese. */
export function chooseLanguage(
  request: ChoiceSigns & { readonly acceptLanguage: string | undefined },
): Language {
  const chosen = chosenLanguage(request);
  if (chosen !== undefined) return chosen;
  for (const wish of accepted(request.acceptLanguage ?? "")) {
    const language = asLanguage(wish);
    if (language !== undefined) return language;
  }
  return "ja";
}

/** An address with the language that was chosen, for where the browser keeps no choice of ours; as it is for whoever has not. */
export function inLanguage(address: string, chosen: Language | undefined): string {
  if (chosen === undefined) return address;
  return `${address}${address.includes("?") ? "&" : "?"}lang=${chosen}`;
}
