import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";

import { accentFault, type Scheme, shadesOf } from "./accent.ts";
import { ConfigurationError } from "./environment.ts";
import { readLogo } from "./logo.ts";
import { type Bilingual, plainSite, type Product, type Site } from "./site.ts";

/** What the file says, as `ca-config/site.schema.json` has it. */
interface SiteFile {
  readonly name: Bilingual;
  readonly logo?: string;
  readonly colours?: { readonly light: string; readonly dark: string };
  readonly support?: { readonly telephone: string; readonly hours: Bilingual };
  readonly products?: readonly Product[];
  readonly sender?: Bilingual;
}

const SCHEMA = new URL("../../ca-config/site.schema.json", import.meta.url);

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigurationError([`SUIDO_SITE_FILE cannot be read: ${reasonOf(error)}`]);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : "unknown");

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new ConfigurationError([`SUIDO_SITE_FILE is not YAML: ${reasonOf(error)}`]);
  }
}

function schemaFaults(value: unknown): readonly string[] {
  const schema = JSON.parse(readFileSync(SCHEMA, "utf8")) as object;
  const valid = new Ajv2020({ allErrors: true, verbose: true }).compile(schema);
  if (valid(value)) return [];
  return (valid.errors ?? []).map(
    ({ instancePath, message = "is wrong", params, parentSchema }) => {
      const { additionalProperty } = params as { readonly additionalProperty?: string };
      if (additionalProperty !== undefined)
        return `${instancePath}/${additionalProperty} is not a setting of a site`;
      const { description } = (parentSchema ?? {}) as { readonly description?: string };
      const more = description === undefined ? "" : ` (${description})`;
      return `${instancePath === "" ? "/" : instancePath} ${message}${more}`;
    },
  );
}

/** What a schema cannot say. */
function productFaults(products: readonly Product[]): readonly string[] {
  return products.flatMap(({ id, url }, place) => [
    ...(products.findIndex((other) => other.id === id) < place
      ? [`/products/${place}/id must be another one: "${id}" is taken`]
      : []),
    ...(URL.canParse(url) && new URL(url).username === ""
      ? []
      : [`/products/${place}/url must be an address that begins with https:// or http://`]),
  ]);
}

const SCHEMES: readonly Scheme[] = ["light", "dark"];

function colourFaults(colours: SiteFile["colours"]): readonly string[] {
  if (colours === undefined) return [];
  return SCHEMES.flatMap((scheme) => {
    const fault = accentFault(colours[scheme], scheme);
    return fault === undefined ? [] : [`/colours/${scheme} ${fault}`];
  });
}

function supportLine({ telephone, hours }: NonNullable<SiteFile["support"]>): Bilingual {
  return { ja: `${telephone}(${hours.ja})`, en: `${telephone} (${hours.en})` };
}

/** The two places that may name the support must not contradict each other. */
const TOLD_TWICE =
  "/support must not be there where SUIDO_SUPPORT is set: say it here, with hours in both languages, and unset that";

/**
 * The site that a file describes. `support` is SUIDO_SUPPORT, for a file that says nothing of it. Throws ConfigurationError with
 * every fault at once, each with the member's path (RFC 6901).
 */
export function loadSite({
  file,
  support,
}: {
  readonly file: string;
  readonly support?: string | undefined;
}): Site {
  const value = parseYaml(readText(file));
  const faults = [...schemaFaults(value)];
  // Whatever has another shape than it must have cannot be looked at any further.
  if (faults.length > 0) throw new ConfigurationError(faults.map(inFile));
  const said = value as SiteFile;
  const { name, colours, products = [] } = said;
  let logo: Site["logo"];
  try {
    logo = said.logo === undefined ? undefined : readLogo(resolve(dirname(file), said.logo));
  } catch (error) {
    faults.push(`/logo ${reasonOf(error)}`);
  }
  faults.push(...colourFaults(colours), ...productFaults(products));
  if (said.support !== undefined && support !== undefined) faults.push(TOLD_TWICE);
  if (faults.length > 0) throw new ConfigurationError(faults.map(inFile));
  return Object.freeze({
    ...plainSite(support),
    name,
    logo,
    colours: colours && {
      light: shadesOf(colours.light, "light"),
      dark: shadesOf(colours.dark, "dark"),
    },
    ...(said.support !== undefined && { support: supportLine(said.support) }),
    products,
    sender: said.sender,
  });
}

const inFile = (fault: string): string => `SUIDO_SITE_FILE ${fault}`;
