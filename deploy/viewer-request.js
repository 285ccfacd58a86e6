// Runs in CloudFront before each request that may need a key. template.yaml holds a copy.
//
// Origin access control signs what CloudFront sends to the function URL, with an Authorization header in place of the
// viewer's. So a key that came as a bearer token goes on as x-api-key. Of two keys the bearer token wins, as it does
// in the function itself; any other authorization goes no further, and leaves x-api-key as it was.
function handler(event) {
  var request = event.request;
  var headers = request.headers;
  if (headers.authorization) {
    var bearer = /^bearer +(.+)$/i.exec(headers.authorization.value);
    if (bearer) {
      headers['x-api-key'] = { value: bearer[1] };
    }
    delete headers.authorization;
  }
  return request;
}
