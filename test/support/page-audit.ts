/**
 * To be evaluated in a page: relative luminance and contrast of WCAG 2.2 §1.4.3, and what of the page is below it or hard
 * to press, as `{ faults, seen }`.
 */
export const AUDIT = `(() => {
  const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const rgba = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return { r, g, b, a }; };
  const light = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour.a > 0) return colour;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const faults = [];
  let seen = 0;
  for (const element of document.querySelectorAll("body *:not(svg *)")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "")) continue;
    seen += 1;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faults.push(contrast.toFixed(2) + " " + element.textContent.trim().slice(0, 40));
  }
  for (const target of document.querySelectorAll("header a, footer a, .button, .contact a, .links a, .list a")) {
    if (!target.checkVisibility()) continue;
    const { height } = target.getBoundingClientRect();
    if (height < 44) faults.push("low target " + height + " " + target.textContent.trim());
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push("scrolls sideways");
  return { faults, seen };
})()`;
