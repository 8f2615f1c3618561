/** Splits a table of texts without spaces. */
const words = (table: string) => table.split(/[ \n]+/).filter(Boolean);
/** URLs of the canaries, from what stands before their port. */
const atCanary = (hosts: string) => words(hosts).map((host) => `http://${host}:{p}/`);
const atDefaultPort = (hosts: string) => words(hosts).map((host) => `http://${host}/`);

/**
 * Values of `url` that attackers may try, grouped by trick. `{p}` is the canaries' port; `{api}`,
 * `{ops}` and `{redis}` are the ports of our processes; `{good}` is the port of the only allowed
 * camera, at 127.0.0.2; `{host}` is this machine's name.
 */
export const badUrls: Readonly<Record<string, readonly string[]>> = {
  'IPv4 loopback, in every spelling': [
    ...atCanary(`
      127.0.0.1 127.1 127.0.1 127.000.000.001 127.0.0.01 127.0.0.1. 127.0.0.1.. 127.1.
      2130706433 2130706433. 017700000001 00017700000001 0177.0.0.1 0177.0.0.01 0177.1 00177.0.1
      0177.0x0.0.1 0x7f.0.0.1 0x7f.1 0X7F.0X0.0X0.0X1 0x7f.0x0.0x0.0x1 0x7f000001 0X7F000001
      0x0000007f000001 0x7f.0.1 127.0x1 127.0x000001 127.01 0x7f.01 127.0.0x0.1 127.255.255.254
      127.0.0.3 127.127.127.127 127.16777214 127.0.1.1
    `),
    ...words(`
      http://127.0.0.1:0{p}/ http://127.0.0.1:000{p}/ http://127.0.0.1:{p} http://127.0.0.1:{p}?
      http://127.0.0.1:{p}/?a=http://127.0.0.2:{good}/ http://127.0.0.1:{p}//
      http://127.0.0.1:{p}/./..//image.jpg https://127.0.0.1:{p}/ https://2130706433:{p}/
      https://127.1/ HTTP://127.0.0.1:{p}/ hTtP://127.0.0.1:{p}/ http://127.0.0.1/
    `),
  ],
  'this host and no host': [
    ...atCanary(`
      0 0. 00 0x0 0x 0.0 0.0.0 0.0.0.0 0.0.0.0. 0x0.0x0.0x0.0x0 0000.0000.0000.0000 0.1.2.3 1
      0.0.0.1 [::] [0:0:0:0:0:0:0:0] [0::0] [::0.0.0.0] [::ffff:0.0.0.0] [::ffff:0:0]
    `),
    'https://0.0.0.0:{p}/',
  ],
  'IPv6 forms of loopback': [
    ...atCanary(`
      [::1] [0::1] [::0:1] [::0001] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001]
      [0:0::0:1] [::0.0.0.1] [0:0:0:0:0:0:0.0.0.1] [::ffff:127.0.0.1] [::FFFF:127.0.0.1]
      [0:0:0:0:0:ffff:127.0.0.1] [0000:0000:0000:0000:0000:ffff:7f00:0001] [::ffff:7f00:1]
      [::ffff:7f00:0001] [::ffff:127.0.0.3] [::127.0.0.1] [::7f00:1] [0:0:0:0:0:0:7f00:1]
      [::ffff:0:127.0.0.1] [::ffff:0:7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1]
      [0064:ff9b:0:0:0:0:7f00:1] [64:ff9b:1::127.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::]
      [2002:7f00:1::1] [2002:7f00:0001:0:0:0:0:1] [2001:0:7f00:1::] [2001::80ff:fffe] [fe80::1]
      [fe80::7f00:1] [fec0::1] [fc00::1] [fd00::1] [ff01::1] [ff02::1] [100::1] [2001:db8::1]
      [5f00::1]
    `),
    'https://[::1]:{p}/',
    'http://[::1]/',
  ],
  'IPv6 with zones, bad brackets and bad groups': atCanary(`
    [::1%25lo] [::1%lo] [::1%250] [::1%251] [fe80::1%25eth0] [fe80::1%eth0]
    [::ffff:127.0.0.1%25lo] [::1%00] [::1]x x[::1] [::1 ::1] ::1 [[::1]] [:::1] [::1::]
    [127.0.0.1] [localhost] [::ffff:2130706433] [::ffff:127.1] [::ffff:0x7f.0.0.1]
    [::ffff:127.0.0.1.] [::1.] [::1]. [::1]@[::1] [v1.::1] %5B::1%5D [%3A%3A1] []
  `),
  'the metadata service': [
    ...atDefaultPort(`
      169.254.169.254 169.254.43518 169.16689662 2852039166 025177524776 0xa9fea9fe 0xA9FEA9FE
      0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376 0251.254.0xa9.254 169.0xfea9fe 169.254.169.254.
      [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [0:0:0:0:0:ffff:a9fe:a9fe] [::169.254.169.254]
      [::a9fe:a9fe] [::ffff:0:a9fe:a9fe] [64:ff9b::169.254.169.254] [64:ff9b::a9fe:a9fe]
      [64:ff9b:1::a9fe:a9fe] [2002:a9fe:a9fe::] [2002:a9fe:a9fe::1] [2001:0:a9fe:a9fe::]
      [fe80::a9fe:a9fe] [fe80::a9fe:a9fe%25eth0] [fd00:ec2::254] [fd20:ce::254] 169.254.169.253
      169.254.0.1 192.0.0.192
    `),
    ...words(`
      http://169.254.169.254/latest/meta-data/iam/security-credentials/ https://169.254.169.254/
      http://169.254.170.2/v2/credentials/ http://100.100.100.200/latest/meta-data/
      http://169.254.169.254:{p}/
    `),
  ],
  'other networks that are not public': atDefaultPort(`
    10.0.0.1 10.255.255.255 10.1 167772161 012.0.0.1 0x0a000001 172.16.0.1 172.31.255.254
    0xac.0x10.0.1 192.168.0.1 192.168.257 3232235521 0xc0a80001 100.64.0.1 100.127.255.254
    192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1
    239.255.255.250 240.0.0.1 255.255.255.255 4294967295 0xffffffff [::ffff:10.0.0.1]
    [::ffff:192.168.0.1] [64:ff9b::10.0.0.1] [2002:a00:1::] [2002:c0a8:1::]
  `),
  'numbers that are not an address': [
    ...atCanary(`
      256.0.0.1 127.0.0.256 127.0.0.1.1 127.0.0.0.1 4294967296 6425673729 0x17f000001
      040000000000 127.16777217000 08.0.0.1 0x7g.0.0.1 127..1 .127.0.0.1 127.0.0.-1 -2130706433
      127.0.0.1e0 127,0,0,1 127.0.0.1,127.0.0.2 * 127.0.0.*
    `),
    'http://127.0.0.0/8:{p}/',
  ],
  'names that lead here': [
    ...atCanary(`
      localhost localhost. localhost.. LOCALHOST LocalHost. localhost.localdomain localhost4
      localhost6 ip6-localhost ip6-loopback ip6-allnodes ip6-localnet {host} {host}. runsc
      a.localhost 127.0.0.1.localhost metadata host.docker.internal l%6fcalhost
      %6c%6f%63%61%6c%68%6f%73%74 localhost%2e localhost%2E%2e
    `),
    ...atDefaultPort('localhost metadata.google.internal kubernetes.default.svc'),
    'https://localhost:{p}/',
    'http://redis:{redis}/',
  ],
  'Unicode that becomes a host': [
    ...atCanary(`
      ①②⑦.⓪.⓪.① ①②⑦.0.0.1 127。0。0。1 127\uff0e0\uff0e0\uff0e1 127\uff610\uff610\uff611
      \uff11\uff12\uff17.\uff10.\uff10.\uff11
      \uff11\uff12\uff17\uff0e\uff10\uff0e\uff10\uff0e\uff11 \uff10\uff587f.1
      \uff12\uff11\uff13\uff10\uff17\uff10\uff16\uff14\uff13\uff13
      \uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54 𝟏𝟐𝟕.𝟎.𝟎.𝟏 𝟙𝟚𝟟.𝟘.𝟘.𝟙
      ¹²⁷.⁰.⁰.¹ ₁₂₇.₀.₀.₁ ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ℒocalhost ᴸᵒᶜᵃˡʰᵒˢᵗ lo\u00adcalhost local\u200bhost
      local\u2060host local\ufeffhost localhost\u3002 127.0.0.1\uff0e 127.0.0.1\u2024
      l\u043ecalhost l\u03bfcalhost xn--lcalhost-0of loca\u217chost lo\u0327calhost
      \u202elocalhost localho\u017ft [\uff1a\uff1a\uff11] 127.0.0.2\uff1a{good}\uff20127.0.0.1
      127.0.0.2\uff0f@127.0.0.1 127.0.0.2\u2100127.0.0.1 \ud800 xn-- xn--a
    `),
    'http\uff1a//127.0.0.1:{p}/',
    'http://127.0.0.1\u2044@127.0.0.2:{good}/',
  ],
  'encoded hosts': [
    ...atCanary(`
      %31%32%37.0.0.1 %31%32%37%2e%30%2e%30%2e%31 127%2e0%2e0%2e1 127%252e0%252e0%252e1
      %30%78%37%66%30%30%30%30%30%31 127.0.0.1%20 127.0.0.1%00 127.0.0.1%00.127.0.0.2
      127.0.0.1%0a 127.0.0.1%0d%0aHost:%20x 127.0.0.1%09 127.0.0.1%2f.127.0.0.2
      127.0.0.2%3a{good}%40127.0.0.1 127.0.0.2:{good}%40127.0.0.1 127.0.0.2%5c@127.0.0.1
      %ef%bc%91%ef%bc%92%ef%bc%97.0.0.1 127%E3%80%820%E3%80%820%E3%80%821 % %zz %ff
    `),
    'http://127.0.0.1%23@127.0.0.2:{good}/',
    'http://127.0.0.1%2f@127.0.0.2:{good}/',
    'http://127.0.0.1%3a{p}/',
  ],
  'credentials and confusion about where the host is': [
    ...atCanary(`
      127.0.0.2:{good}@127.0.0.1 127.0.0.2@127.0.0.1 user:pass@127.0.0.1 a@b@127.0.0.1
      :@127.0.0.1 @127.0.0.1 :pw@127.0.0.1 127.0.0.2:{good}:@127.0.0.1 http:127.0.0.1
      127.0.0.1|127.0.0.2 <127.0.0.1> "127.0.0.1" $(127.0.0.1) {127.0.0.1}
    `),
    ...words(`
      http://user:pass@127.0.0.2:{good}/image http://127.0.0.1:{p}#@127.0.0.2:{good}/
      http://127.0.0.1:{p}?@127.0.0.2:{good}/ http://127.0.0.1:{p}/@127.0.0.2:{good}/
      http://127.0.0.1:{p}/#127.0.0.2:{good}/image http://127.0.0.1:{p};127.0.0.2:{good}/
      http://127.0.0.1:{p},127.0.0.2:{good}/ http://127.0.0.1:{p}&@127.0.0.2:{good}/
      http://127.0.0.1:{p}&@127.0.0.2:{good}#@127.0.0.2:{good}/ http:127.0.0.1:{p}/
      http:/127.0.0.1:{p}/ http:///127.0.0.1:{p}/ http:////127.0.0.1:{p}/
      http://///127.0.0.1:{p}/ https:127.0.0.1:{p}/ http://http://127.0.0.1:{p}/
      http://127.0.0.1:{p}:{good}/ //127.0.0.1:{p}/ ///127.0.0.1:{p}/ 127.0.0.1:{p}/
      localhost:{p}/ /images?url=http://127.0.0.1:{p}/ @127.0.0.1:{p}/ . http http: http:/
      http:// http:/// http://# http://? http://./ http://../ http://%2e/ http://:{p}/ http://@/
      http://:@/
    `),
    'http://127.0.0.2:{good}/@127.0.0.1:{p}@/../..\\',
    'http://127.0.0.2:{good}\\@127.0.0.1:{p}/',
    'http://127.0.0.1:{p}\\@127.0.0.2:{good}/',
    'http://127.0.0.1:{p}\\.127.0.0.2:{good}/',
    'http:\\\\127.0.0.1:{p}\\',
    'http:/\\127.0.0.1:{p}/',
    'http:\\/127.0.0.1:{p}/',
    '\\\\127.0.0.1:{p}\\share',
    'http://127.0.0.1 :{p}/',
    'http://127.0.0.1: {p}/',
    'http://127.0.0.2:{good} @127.0.0.1:{p}/',
    'http://127.0.0.1:{p} 127.0.0.2:{good}/',
    "http://'127.0.0.1':{p}/",
    'http://`127.0.0.1`:{p}/',
    '',
    ' ',
  ],
  'control characters': [
    ...atCanary(`
      127.0.\t0.1 127.0.\r0.1 127.0.0.1\u0000 127.0.0.2:{good}\u0000@127.0.0.1 127.0.0.1\u0001
      127.0.0.1\u001f 127.0.0.1\u007f 127.0.0.1\u0085 127.0.0.1\u00a0 127.0.0.1\u2028
    `),
    ...words(`
      \thttp://127.0.0.1:{p}/ ht\ttp://127.0.0.1:{p}/ http:\t//127.0.0.1:{p}/
      http://127.0.0.2:{good}/image\u0000 \u0000http://127.0.0.1:{p}/
      \ufeffhttp://127.0.0.1:{p}/ \u00a0http://127.0.0.1:{p}/
    `),
    ' http://127.0.0.1:{p}/',
    'http://127.0.0.1:{p}/ ',
    '\nhttp://127.0.0.1:{p}/',
    'ht\ntp://127.0.0.1:{p}/',
    'ht\r\ntp://127.0.0.1:{p}/',
    'http:/\n/127.0.0.1:{p}/',
    'http://127.0.\n0.1:{p}/',
    'http://127.0.0.1\r\n:{p}/',
    'http://127.0.0.1:{p}/\r\nHost: x',
    'http://127.0.0.2:{good}/image\r\nX-Evil: 1',
    'http://127.0.0.2:{good}/image HTTP/1.1\r\nX-Evil: 1\r\n\r\n',
    'http://127.0.0.2:{good}/image\nX-Evil: 1',
  ],
  ports: words(`
    http://127.0.0.1:0/ http://127.0.0.1:22/ http://127.0.0.1:25/ http://127.0.0.1:6379/
    http://127.0.0.1:11211/ http://127.0.0.1:65535/ http://127.0.0.1:65536/
    http://127.0.0.1:99999/ http://127.0.0.1:-1/ http://127.0.0.1:-{p}/ http://127.0.0.1:+{p}/
    http://127.0.0.1:{p}a/ http://127.0.0.1:a/ http://127.0.0.1:0x50/ http://127.0.0.1:{p}.0/
    http://127.0.0.1:/ http://127.0.0.1:４４３/ http://127.0.0.1:4294967376/ http://127.0.0.2:0/
    http://127.0.0.2:65616/ http://127.0.0.2:-1/ http://127.0.0.1::{p}/
  `),
  'our own processes': [
    ...words(`
      http://127.0.0.1:{api}/
      http://127.0.0.1:{api}/images?url=http://127.0.0.2:{good}/image/self
      http://localhost:{api}/images?url=http%3A%2F%2F127.0.0.2%3A{good}%2Fimage%2Fself
      http://{host}:{api}/images?url=http://127.0.0.2:{good}/image/self
      http://[::1]:{api}/images?url=http://127.0.0.2:{good}/image/self
      http://[::ffff:127.0.0.1]:{api}/images?url=http://127.0.0.2:{good}/image/self
      http://0.0.0.0:{api}/images?url=http://127.0.0.2:{good}/image/self
      http://127.0.0.1:{apiops}/readyz http://127.0.0.1:{ops}/queues
      http://127.0.0.1:{ops}/queues/api/queues http://localhost:{ops}/queues/api/queues
      http://127.0.0.1:{ops}/livez http://127.0.0.1:{redis}/ http://localhost:{redis}/FLUSHALL
      http://127.0.0.1:{redis}/%0d%0aFLUSHALL%0d%0a http://0x7f000001:{redis}/
      http://[::ffff:7f00:1]:{redis}/ https://127.0.0.1:{redis}/
    `),
    'http://127.0.0.1:{redis}/?\r\nFLUSHALL\r\n',
  ],
  'other schemes': [
    ...words(`
      file:///etc/passwd file://127.0.0.1/etc/passwd file:/etc/passwd FILE:///proc/self/environ
      ftp://127.0.0.1:{p}/ ftps://127.0.0.1:{p}/ sftp://127.0.0.1:{p}/ tftp://127.0.0.1:{p}/
      gopher://127.0.0.1:{p}/_x gopher://127.0.0.1:{redis}/_FLUSHALL
      dict://127.0.0.1:{redis}/info ldap://127.0.0.1:{p}/ redis://127.0.0.1:{redis}/
      rtsp://127.0.0.1:{p}/ ws://127.0.0.1:{p}/ wss://127.0.0.1:{p}/
      data:image/gif;base64,R0lGODlhAQABAAAAACw= javascript:fetch("http://127.0.0.1:{p}/")
      vbscript:x about:blank blob:http://127.0.0.1:{p}/1 blob:null/1
      view-source:http://127.0.0.1:{p}/ jar:http://127.0.0.1:{p}/!/ netdoc:///etc/passwd
      unix:///var/run/docker.sock http+unix://%2Fvar%2Frun%2Fdocker.sock/ httpx://127.0.0.1:{p}/
      http2://127.0.0.1:{p}/ http-://127.0.0.1:{p}/ url:http://127.0.0.1:{p}/ urn:uuid:1
      mailto:a@127.0.0.1 local://127.0.0.1:{p}/ s3://bucket/key gs://bucket/key
      abs://container/key php://filter/resource=http://127.0.0.1:{p}/ expect://id node:fs
    `),
    'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>',
  ],
  'too long': [
    `http://127.0.0.1:{p}/${'a'.repeat(5000)}`,
    `http://127.0.0.1:{p}/?${'a'.repeat(5000)}`,
    `http://127.0.0.1:{p}/#${'a'.repeat(5000)}`,
    `http://127.0.0.1:{p}/${'ü'.repeat(1500)}`,
    `http://${'a'.repeat(64)}.test:{p}/`,
    `http://${'a'.repeat(63)}.test:{p}/`,
    `http://${'a'.repeat(300)}:{p}/`,
    `http://${'a.'.repeat(200)}test:{p}/`,
    `http://${'a'.repeat(4000)}/`,
    `http://${'0'.repeat(3000)}177.0.0.1:{p}/`,
    `http://0x${'0'.repeat(3000)}7f000001:{p}/`,
    `http://[${'0'.repeat(1000)}::1]:{p}/`,
    `http://127.0.0.1${'.'.repeat(300)}:{p}/`,
    `http://${'a'.repeat(3000)}@127.0.0.1:{p}/`,
    `http://127.0.0.1:${'0'.repeat(3000)}{p}/`,
    `${'h'.repeat(4000)}://127.0.0.1:{p}/`,
  ],
};

/** Whole query strings, sent byte for byte. */
export const badQueries: Readonly<Record<string, readonly string[]>> = {
  'arrays and repeats': [
    ...words(`
      url=http://127.0.0.2:{good}/image&url=http://127.0.0.1:{p}/
      url=http://127.0.0.1:{p}/&url=http://127.0.0.2:{good}/image url=&url=http://127.0.0.1:{p}/
      url&url=http://127.0.0.1:{p}/ url[]=http://127.0.0.1:{p}/ url%5B%5D=http://127.0.0.1:{p}/
      url[0]=http://127.0.0.1:{p}/ url[url]=http://127.0.0.1:{p}/
      url[__proto__]=http://127.0.0.1:{p}/ __proto__[url]=http://127.0.0.1:{p}/
      URL=http://127.0.0.1:{p}/ Url=http://127.0.0.1:{p}/ u%72l=http://127.0.0.1:{p}/
      %75%72%6c=http://127.0.0.1:{p}/
      url=http://127.0.0.2:{good}/image&u%72l=http://127.0.0.1:{p}/ url;=http://127.0.0.1:{p}/
      a=1;url=http://127.0.0.1:{p}/ &&url=http://127.0.0.1:{p}/&& url==http://127.0.0.1:{p}/
      url=[http://127.0.0.1:{p}/] url=["http://127.0.0.1:{p}/"]
      url={"href":"http://127.0.0.1:{p}/"}
      url=http://127.0.0.1:{p}/,http://127.0.0.2:{good}/image url url=
      ?url=http://127.0.0.1:{p}/ camera=http://127.0.0.1:{p}/
    `),
    '',
  ],
  'raw and doubly encoded bytes': [
    ...words(`
      url=http://127.0.0.1:{p}/\u0000 url=http://127.0.0.1:{p}/%00 url=http://127.0.0.1%00:{p}/
      url=http://127.0.0.1%0d%0a:{p}/ url=http://127.0.0.2:{good}/image%0d%0aX-Evil:1
      url=http://127.0.0.2:{good}/image%0aX-Evil:1
      url=http://127.0.0.2:{good}/image%20HTTP/1.1%0d%0a url=%0d%0ahttp://127.0.0.1:{p}/
      url=%09http://127.0.0.1:{p}/ url=%20http://127.0.0.1:{p}/ url=+http://127.0.0.1:{p}/
      url=http%3A%2F%2F127.0.0.1%3A{p}%2F url=http%253A%252F%252F127.0.0.1%253A{p}%252F
      url=http%25253A%25252F%25252F127.0.0.1:{p}/ url=http://127.0.0.1:{p}/\t
      url=http://127.0.0.1\t:{p}/ url=http:%5c%5c127.0.0.1:{p}%5c
      url=http://127.0.0.2:{good}%5c@127.0.0.1:{p}/ url=%ff%fehttp://127.0.0.1:{p}/
      url=%C0%AEhttp://127.0.0.1:{p}/ url=http://127%c0%ae0%c0%ae0%c0%ae1:{p}/
      url=http://%E0%80%AF127.0.0.1:{p}/ url=http://127.0.0.1:{p}/#
      url=http://127.0.0.2:{good}%23@127.0.0.1:{p}/ url=%u0068ttp://127.0.0.1:{p}/
      url=http://127.0.0.1:{p}/% url=% url=%%% url=http://①②⑦.0.0.1:{p}/
    `),
    'url=http:\\\\127.0.0.1:{p}\\',
  ],
};

/** Groups of complete URLs; the allowed camera redirects to each of them. */
export const redirectedGroups = [
  'IPv4 loopback, in every spelling',
  'this host and no host',
  'IPv6 forms of loopback',
  'the metadata service',
  'names that lead here',
  'our own processes',
] as const;

/** Each of these reaches a canary when all networks are allowed. */
export const urlsOfCanaries: Readonly<Record<'ipv4' | 'ipv6', readonly string[]>> = {
  ipv4: [
    ...atCanary(`
      127.0.0.1 2130706433 0177.0.0.1 0x7f000001 127.1 127.0.0.3 0.0.0.0 [::ffff:127.0.0.1]
      ①②⑦.0.0.1 %31%32%37.0.0.1 localhost. {host}
    `),
    'http://127.0.0.1:{p}#@127.0.0.2:{good}/',
    'https://127.0.0.1:{p}/',
  ],
  ipv6: ['http://[::1]:{p}/', 'http://[0:0:0:0:0:0:0:1]:{p}/', 'http://[::]:{p}/'],
};
