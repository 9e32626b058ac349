// Decides how the page of the REST API is shown: all groups closed, requests with the reader's own session.
const place = document.getElementById("swagger");
SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  docExpansion: "none",
  deepLinking: true,
  withCredentials: true,
  requestInterceptor: (request) => {
    const csrf = document.cookie.match(/csrftoken=([^;]+)/);
    if (csrf) request.headers["X-CSRFToken"] = csrf[1];
    return request;
  },
});
