// Swagger UI over our own document: it asks nobody else, and its validator stays off.
const place = document.getElementById("swagger");

const show = () => window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null,
  queryConfigEnabled: false,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});

// Deferred scripts run before modules that follow them.
show();
