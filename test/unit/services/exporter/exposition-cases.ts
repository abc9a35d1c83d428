/**
 * Hand-checked cases of the text format: what the hub's parser (H: prometheus/common 0.9.1, expfmt/text_parse.go) and
 * Prometheus' (P: 3.14, model/textparse/promlex.l and promparse.go) do with each, and in which function. Each verdict was
 * also compared with both parsers themselves. The exporter accepts the intersection.
 */

/** Receive time used in the cases, milliseconds. */
export const receiveTime = 1_700_000_000_000;

export interface Accepted {
  readonly body: string;
  /** Canonical lines. */
  readonly lines: readonly string[];
  readonly source: string;
}

export interface Refused {
  readonly body: string;
  readonly line: number;
  readonly reason: string;
  readonly source: string;
}

const at = String(receiveTime);

function accepted(body: string, lines: readonly string[], source: string): Accepted {
  return { body, lines, source };
}

function refused(body: string, line: number, reason: string, source: string): Refused {
  return { body, line, reason, source };
}

export const acceptedCases: readonly Accepted[] = [
  // Layout of lines.
  accepted("", [], "H startOfLine: end of input there is no error"),
  accepted("\n  \n\t\n", [], "H startOfLine, P Next: blank lines"),
  accepted("a 1 2\n  ", ["a 1 2"], "H startOfLine: blanks before the end of input"),
  accepted("a 1 2\n", ["a 1 2"], "the plain form"),
  accepted("a 1\n", [`a 1 ${at}`], "timestamp is optional: H readingValue, P parseMetricSuffix"),
  accepted("a  1\t 2\n", ["a 1 2"], "any blanks and tabs between tokens: H skipBlankTab, P <*>[ \\t]+"),
  accepted("  a 1 2\n", ["a 1 2"], "H skips leading blanks; P takes them into the name, which canonical lines avoid"),
  accepted("a+1 2\n", ["a +1 2"], "nothing needed between name and value: H readingLabels, P <sValue>"),
  accepted('a{b="c"}1 2\n', ['a{b="c"} 1 2'], "nothing needed between brace and value"),
  // Names.
  accepted(":a:b_9 1 2\n", [":a:b_9 1 2"], "H isValidMetricNameStart, P {M}({M}|{D})*"),
  // Labels.
  accepted("a{} 1 2\n", ["a 1 2"], "empty braces: H startLabelName, P parseLVals"),
  accepted("a { } 1 2\n", ["a 1 2"], "blanks around braces"),
  accepted('a{b="c",} 1 2\n', ['a{b="c"} 1 2'], "one comma at the end"),
  accepted('a { b = "c" , d = "e" } 1 2\n', ['a{b="c",d="e"} 1 2'], "blanks between all tokens"),
  accepted('a{d="e",b="c"} 1 2\n', ['a{b="c",d="e"} 1 2'], "order of labels is free; the canonical one is by name"),
  accepted('a{b="",c="d"} 1 2\n', ['a{c="d"} 1 2'], "an empty label is no label: P tsdb labels WithoutEmpty"),
  accepted('a{b="{},=#"} 1 2\n', ['a{b="{},=#"} 1 2'], "no byte of a value is special but quote, backslash, newline"),
  accepted(
    'a{b="\\\\\\"\\n"} 1 2\n',
    ['a{b="\\\\\\"\\n"} 1 2'],
    "the three escapes: H readTokenAsLabelValue, P lvalReplacer",
  ),
  accepted('a{b="網🛰"} 1 2\n', ['a{b="網🛰"} 1 2'], "values are UTF-8"),
  accepted('a{b="x\0y"} 1 2\n', ['a{b="x\0y"} 1 2'], "zero byte in a value: P promlexer.next skips it in sLValue"),
  // Values: both use Go's ParseFloat without p, P and _.
  accepted("a -0.5e-3 2\n", ["a -0.5e-3 2"], "decimal with exponent"),
  accepted("a .5 2\na 5. 3\n", ["a .5 2", "a 5. 3"], "digits on one side of the point are enough"),
  accepted("a +1E+5 2\n", ["a +1E+5 2"], "sign and upper-case exponent"),
  accepted("a 1e-400 2\n", ["a 1e-400 2"], "too small is 0, no error: strconv.ParseFloat"),
  accepted("a NaN 1\na nan 2\n", ["a NaN 1", "a nan 2"], "nan in any case: strconv special"),
  accepted("a Inf 1\na +inf 2\na -Infinity 3\n", ["a Inf 1", "a +inf 2", "a -Infinity 3"], "strconv special"),
  // Timestamps.
  accepted("a 1 007\n", ["a 1 7"], "leading zeros: ParseInt base 10"),
  accepted("a 1 9223372036854775807\n", ["a 1 9223372036854775807"], "largest int64: ParseInt"),
  // Comments.
  accepted("#\n# \n# x\n#x\n  # y\n", [], "plain comments: H startComment, P consumeComment"),
  accepted("# HELP\n# TYPE\n# EOF\n# UNIT a b\n", [], "keyword alone, other words: plain comments to both"),
  accepted("# HELP a\n# HELP a some \\\\ text\\n\n", [], "HELP without text; its two escapes"),
  accepted("# TYPE a counter\n# TYPE  b\tgauge\n", [], "one byte between name and type"),
  accepted("# TYPE a counter\n# TYPE a gauge\na 1 2\n", ["a 1 2"], "H refuses a second TYPE, but ours are dropped"),
  accepted("a 1 2\n# TYPE a gauge\n", ["a 1 2"], "H refuses TYPE after samples, but ours are dropped"),
  accepted("# HELP a x\n# HELP a y\n", [], "H refuses a second HELP, but ours are dropped"),
  accepted(
    '# TYPE h histogram\nh_bucket{le="+Inf"} 1 2\nh_sum 1 2\nh_count 1 2\nh 9 2\n',
    ['h_bucket{le="+Inf"} 1 2', "h_sum 1 2", "h_count 1 2", "h 9 2"],
    "H would drop `h` of a histogram; untyped, everything stays",
  ),
  accepted(
    '# TYPE s summary\ns{quantile="x"} 1 2\n',
    ['s{quantile="x"} 1 2'],
    "H wants a number; untyped it need not be",
  ),
];

export const refusedCases: readonly Refused[] = [
  // Layout of lines.
  refused("a 1 2", 1, "the last line does not end with a newline", "H: unexpected end of input stream"),
  refused("a 1 2\n# x", 2, "the last line does not end with a newline", "H startComment: end of input"),
  refused("a 1 \n", 1, "blank after the value, but no timestamp", "H startTimestamp"),
  refused("a 1 2 \n", 1, 'unexpected " " after the timestamp', "H startTimestamp: spurious string"),
  refused("a 1 2 3\n", 1, 'unexpected " 3" after the timestamp', "both"),
  refused("a 1 2\r\n", 1, 'unexpected "\\r" after the timestamp', "both: a carriage return is no blank"),
  refused("\r\n", 1, 'expected a metric name, found "\\r"', "both"),
  refused("a 1 2\n\nb x\n", 3, 'expected a decimal number, NaN, +Inf or -Inf as value, found "x"', "both"),
  // Names.
  refused("1a 1 2\n", 1, 'expected a metric name, found "1"', "both"),
  refused("ä 1 2\n", 1, 'expected a metric name, found "ä"', "both"),
  refused("🛰 1 2\n", 1, 'expected a metric name, found "🛰"', "both"),
  refused("\ufeffa 1 2\n", 1, 'expected a metric name, found "\ufeff"', "both: byte order mark"),
  refused("\0a 1 2\n", 1, 'expected a metric name, found "\\u0000"', "H; P takes it for the end of the input"),
  refused(
    '{"a b"} 1 2\n',
    1,
    "metric name before the braces is missing (quoted names are not supported)",
    "H knows no quoted names",
  ),
  refused(
    '{__name__="a"} 1 2\n',
    1,
    "metric name before the braces is missing (quoted names are not supported)",
    "H readingMetricName",
  ),
  // Labels.
  refused('a{__name__="b"} 1 2\n', 1, 'label name "__name__" is reserved', "H startLabelName"),
  refused('a{"b"="c"} 1 2\n', 1, "quoted label names are not supported", "H startLabelName"),
  refused('a{1b="c"} 1 2\n', 1, 'expected a label name, found "1"', "both"),
  refused('a{b:c="d"} 1 2\n', 1, 'expected "=" after the label name, found ":"', "both"),
  refused("a{,} 1 2\n", 1, 'expected a label name, found ","', "both"),
  refused('a{b="c",,} 1 2\n', 1, 'expected a label name, found ","', "both"),
  refused('a{b="c" d="e"} 1 2\n', 1, 'expected "," or "}" after the label value, found "d"', "P alone takes this"),
  refused("a{b} 1 2\n", 1, 'expected "=" after the label name, found "}"', "both"),
  refused("a{b=c} 1 2\n", 1, 'expected a quoted label value, found "c"', "both"),
  refused("a{b='c'} 1 2\n", 1, 'expected a quoted label value, found "\'"', "both"),
  refused('a{b="c"', 1, "the last line does not end with a newline", "both"),
  refused('a{b="c\n', 1, "label value has no closing quote on its line", "both"),
  refused('a{b="c\nd"} 1 2\n', 1, "label value has no closing quote on its line", "P alone takes a raw newline"),
  refused('a{b="c"\n} 1 2\n', 1, 'expected "," or "}" after the label value, found the end of the line', "both"),
  refused(
    'a{b="\\d"} 1 2\n',
    1,
    'invalid escape sequence in a label value (allowed: \\\\, \\", \\n)',
    "P alone takes other escapes",
  ),
  refused('a{b="c",b="d"} 1 2\n', 1, "duplicate label b", "P tsdb getOrCreate: label name is not unique"),
  refused('a{b="c",a="x",b="c"} 1 2\n', 1, "duplicate label b", "the same value does not help"),
  refused('a{b="",b="d"} 1 2\n', 1, "duplicate label b", "nor does an empty one"),
  refused('a{b="c"}{d="e"} 1 2\n', 1, expectedValue('{d="e"}'), "both"),
  // Values.
  refused("a\n", 1, "expected a value, found the end of the line", "both"),
  refused('a{b="c"} \n', 1, "expected a value, found the end of the line", "both"),
  refused("a 0x1 2\n", 1, expectedValue("0x1"), "hexadecimal needs p: strconv readFloat"),
  refused("a 0x1p3 2\n", 1, expectedValue("0x1p3"), "p is refused by both parseFloat"),
  refused("a 1_0 2\n", 1, expectedValue("1_0"), "_ is refused by both parseFloat"),
  refused("a 1e400 2\n", 1, 'value "1e400" is beyond the range of a 64 bit float', "strconv: value out of range"),
  refused("a 1e 2\n", 1, expectedValue("1e"), "both"),
  refused("a . 2\n", 1, expectedValue("."), "both"),
  refused("a +NaN 2\n", 1, expectedValue("+NaN"), "strconv special: no sign before nan"),
  refused("a infi 2\n", 1, expectedValue("infi"), "strconv special: inf or infinity"),
  refused("a 1,5 2\n", 1, expectedValue("1,5"), "both"),
  refused("a 1\0 2\n", 1, expectedValue("1\0"), "both"),
  // Timestamps.
  refused("a 1 +5\n", 1, 'expected a timestamp in milliseconds (digits only), found "+5"', "P <sTimestamp>{D}+"),
  refused("a 1 -5\n", 1, 'expected a timestamp in milliseconds (digits only), found "-5"', "P <sTimestamp>{D}+"),
  refused("a 1 5.0\n", 1, 'unexpected ".0" after the timestamp', "both"),
  refused(
    "a 1 9223372036854775808\n",
    1,
    'timestamp "9223372036854775808" is beyond the range of a 64 bit integer',
    "both: ParseInt",
  ),
  // Exemplars.
  refused('a 1 5 # {t="x"} 1\n', 1, 'unexpected " # {t=\\"x\\"} 1" after the timestamp', "both"),
  refused(
    'a 1 # {t="x"} 1\n',
    1,
    'expected a timestamp in milliseconds (digits only), found "# {t=\\"x\\"} 1"',
    "both",
  ),
  // Comments.
  refused("# HELP \n", 1, "expected a metric name after HELP", "P Next: expected metric name"),
  refused('# HELP "a b" c\n', 1, "expected a metric name after HELP", "H startComment"),
  refused("# HELP a-b c\n", 1, "invalid metric name in the HELP line", "H startComment"),
  refused("# HELP a \\d\n", 1, "invalid escape sequence in the HELP line", "H readTokenUntilNewline"),
  refused("# HELP a b\\\n", 1, "invalid escape sequence in the HELP line", "H readTokenUntilNewline"),
  refused("# TYPE a\n", 1, 'unknown metric type ""', "P Next: invalid metric type"),
  refused("# TYPE a  counter\n", 1, 'unknown metric type " counter"', "P cuts one byte: invalid metric type"),
  refused("# TYPE a counter \n", 1, 'unknown metric type "counter "', "both"),
  refused("# TYPE a COUNTER\n", 1, 'unknown metric type "COUNTER"', "H alone takes any case"),
  refused("# TYPE a unknown\n", 1, 'unknown metric type "unknown"', "both: the text format says untyped"),
  refused("#TYPE a bogus\n", 1, 'unknown metric type "bogus"', "H needs no blank after #"),
  refused("#x\0y\nb 1 2\n", 1, "zero byte in a comment", "P consumeComment: end of the input, b would be lost"),
];

function expectedValue(found: string): string {
  return `expected a decimal number, NaN, +Inf or -Inf as value, found ${JSON.stringify(found)}`;
}
