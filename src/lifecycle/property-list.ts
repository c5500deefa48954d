/** A value of a property list; octets become `<data>`. */
export type PropertyValue =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly PropertyValue[]
  | PropertyDictionary;

export interface PropertyDictionary {
  readonly [key: string]: PropertyValue;
}

/** XML 1.0 §2.2: what has no place in a document, not even as a reference. Lone surrogates are no characters either. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const NO_CHARACTER = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  // As it is, a reader would make a line feed of it (XML 1.0 §2.11).
  "\r": "&#13;",
};

/** Text between two tags. What XML cannot hold is replaced, so that a name never keeps a profile from being read. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(NO_CHARACTER, "\uFFFD")
    .replaceAll(/[&<>\r]/g, (character) => ESCAPES[character] ?? "");
}

const isList = (value: PropertyValue): value is readonly PropertyValue[] => Array.isArray(value);

function element(value: PropertyValue): string {
  if (typeof value === "string") return `<string>${escaped(value)}</string>`;
  if (typeof value === "number") return `<integer>${value}</integer>`;
  if (typeof value === "boolean") return value ? "<true/>" : "<false/>";
  if (value instanceof Uint8Array)
    return `<data>${Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64")}</data>`;
  if (isList(value)) return `<array>\n${value.map(element).join("\n")}\n</array>`;
  const entries = Object.entries(value).map(
    ([key, one]) => `<key>${escaped(key)}</key>\n${element(one)}`,
  );
  return `<dict>\n${entries.join("\n")}\n</dict>`;
}

/** The XML form of Apple's property lists, as UTF-8. Numbers are integers. */
export function propertyList(root: PropertyDictionary): Uint8Array {
  return new TextEncoder().encode(
    `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${element(root)}
</plist>
`,
  );
}
