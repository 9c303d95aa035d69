// Draws a code from its modules ("33:<base64>"): one path, no style, as the server would.
const QUIET = 4;

/** Fill `svg` with the code. */
export function draw(svg, packed) {
  const [side, bits] = packed.split(":");
  const size = Number(side);
  const bytes = Uint8Array.from(atob(bits), (char) => char.charCodeAt(0));
  let path = "";
  for (let at = 0; at < size * size; at += 1) {
    if ((bytes[at >> 3] >> (7 - (at & 7))) & 1) path += `M${(at % size) + QUIET} ${Math.floor(at / size) + QUIET}h1v1h-1z`;
  }
  svg.setAttribute("viewBox", `0 0 ${size + 2 * QUIET} ${size + 2 * QUIET}`);
  svg.querySelector("path").setAttribute("d", path);
}
