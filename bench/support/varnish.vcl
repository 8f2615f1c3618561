vcl 4.1;

backend origin {
  .host = "127.0.0.1";
  .port = "@ORIGIN_PORT@";
}

# A cookie would make everything pass.
sub vcl_recv {
  unset req.http.Cookie;
  unset req.http.Cache-Control;
}
