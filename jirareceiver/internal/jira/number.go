// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bytes"
	"strconv"
	"strings"
)

// canonicalNumber returns the same digits for all spellings of one number: 20001 for 20001.0 and for 2.0001E4. Senders
// that store bodies as generic JSON, and rules that calculate, write whole numbers in these forms. A number that is too
// long stays as it is.
func canonicalNumber(raw []byte) []byte {
	if !bytes.ContainsAny(raw, ".eE") || len(raw) > maxScalar {
		return raw
	}
	if number, ok := parseDecimal(string(raw)); ok {
		return []byte(number.String())
	}
	return raw
}

// decimal is a number as digits with a decimal point.
type decimal struct {
	isNegative bool
	digits     string // without zeros at either end; "" for zero
	point      int    // number of digits before the decimal point; negative for zeros behind it
}

// parseDecimal parses a number of JSON. It returns false for any other text, and for numbers with too many digits.
func parseDecimal(s string) (number decimal, ok bool) {
	s, number.isNegative = strings.CutPrefix(s, "-")
	exponent := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(s[i+1:]); err != nil {
			return decimal{}, false
		}
		s = s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if !isDigits(whole + fraction) {
		return decimal{}, false
	}
	significant := strings.TrimLeft(whole+fraction, "0")
	number.digits = strings.TrimRight(significant, "0")
	number.point = len(significant) - len(fraction) + exponent
	if number.digits == "" {
		return decimal{}, true
	}
	return number, -maxScalar < number.point && number.point < maxScalar
}

func (n decimal) String() string {
	sign := ""
	if n.isNegative {
		sign = "-"
	}
	switch {
	case n.digits == "":
		return "0"
	case n.point <= 0:
		return sign + "0." + strings.Repeat("0", -n.point) + n.digits
	case n.point >= len(n.digits):
		return sign + n.digits + strings.Repeat("0", n.point-len(n.digits))
	default:
		return sign + n.digits[:n.point] + "." + n.digits[n.point:]
	}
}

func isDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// parseWhole parses a whole number in any spelling of JSON.
func parseWhole(s string) (n int64, ok bool) {
	number, isNumber := parseDecimal(s)
	if !isNumber {
		return 0, false
	}
	n, err := strconv.ParseInt(number.String(), 10, 64)
	return n, err == nil
}
