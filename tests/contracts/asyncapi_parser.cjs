// AsyncAPI's own parser on our document; `make asyncapi` runs it. Hints (such as a newer version of the
// specification) are shown; an error or a warning of the parser fails.
const { readFileSync } = require("node:fs");
const { Parser } = require(`${process.argv[2]}/node_modules/@asyncapi/parser`);

const HINT = 2;

new Parser().parse(readFileSync(process.argv[3], "utf8")).then(({ document, diagnostics }) => {
  for (const { severity, code, path, message } of diagnostics) console.log(severity, code, path.join("/"), message);
  const bad = diagnostics.filter(({ severity }) => severity < HINT);
  if (!document || bad.length) process.exit(1);
  console.log(`AsyncAPI ${document.version()}: ${document.allMessages().length} messages, valid`);
});
