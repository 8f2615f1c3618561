vcl 4.1;

backend origin {
  .host = "127.0.0.1";
  .port = "@ORIGIN_PORT@";
}

# With a cookie Varnish would bypass its cache.
sub vcl_recv {
  unset req.http.Cookie;
  unset req.http.Cache-Control;
}
