// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// jqlParser parses the part of JQL that pollers use: conditions with AND, OR, NOT and parentheses, and ORDER BY.
type jqlParser struct {
	tokens []token
	reader jqlReader
}

type token struct {
	text   string
	quoted bool
}

// keyword reports whether a token is a word of the language.
func (t token) keyword(word string) bool { return !t.quoted && strings.EqualFold(t.text, word) }

// query is a parsed JQL text.
type query struct {
	condition
	bounded bool // it has a condition
	order   []orderTerm
}

// condition decides which rows match. Rows before its bounds do not match.
type condition struct {
	matches func(row) bool
	bounds  bounds
}

type orderTerm struct {
	field      string
	descending bool
}

const maxOrderTerms = 7

// tokenPattern matches a quoted text, an operator, or a word.
var tokenPattern = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|!=|<=|>=|[=<>(),]|[^\s=<>!(),"']+`)

// tokenize returns the tokens of a JQL text, or an error if a part of the text is not a token.
func tokenize(jql string) ([]token, error) {
	var tokens []token
	end := 0
	for _, at := range append(tokenPattern.FindAllStringIndex(jql, -1), []int{len(jql), len(jql)}) {
		if strings.TrimFunc(jql[end:at[0]], unicode.IsSpace) != "" {
			return nil, badRequest("Error in the JQL Query: The character %q is a reserved JQL character.", jql[end:at[0]])
		}
		text := jql[at[0]:at[1]]
		switch {
		case text == "":
		case text[0] == '"' || text[0] == '\'':
			tokens = append(tokens, token{text[1 : len(text)-1], true})
		default:
			tokens = append(tokens, token{text, false})
		}
		end = at[1]
	}
	return tokens, nil
}

// parseJQL parses a JQL text. The reader evaluates its operands.
func parseJQL(jql string, reader jqlReader) (query, error) {
	tokens, err := tokenize(jql)
	if err != nil {
		return query{}, err
	}
	p := &jqlParser{tokens, reader}
	q := query{condition: condition{matches: func(row) bool { return true }}}
	if len(tokens) > 0 && !p.peek("order") {
		q.bounded = true
		if q.condition, err = p.or(); err != nil {
			return q, err
		}
	}
	if p.accept("order") {
		if q.order, err = p.orderBy(); err != nil {
			return q, err
		}
	}
	if len(p.tokens) > 0 {
		return q, badRequest("Error in the JQL Query: Expecting either 'OR' or 'AND' but got '%s'.", p.tokens[0].text)
	}
	return q, nil
}

func (p *jqlParser) peek(word string) bool { return len(p.tokens) > 0 && p.tokens[0].keyword(word) }

func (p *jqlParser) accept(word string) bool {
	if !p.peek(word) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// take returns the next token.
func (p *jqlParser) take() (token, error) {
	if len(p.tokens) == 0 {
		return token{}, badRequest("Error in the JQL Query: The query ends too early.")
	}
	next := p.tokens[0]
	p.tokens = p.tokens[1:]
	return next, nil
}

func (p *jqlParser) expect(word string) error {
	if next, err := p.take(); err != nil || !next.keyword(word) {
		return badRequest("Error in the JQL Query: Expecting '%s' but got '%s'.", word, next.text)
	}
	return nil
}

func (p *jqlParser) or() (condition, error) {
	left, err := p.and()
	for err == nil && p.accept("or") {
		var right condition
		right, err = p.and()
		first := left.matches
		left = condition{matches: func(r row) bool { return first(r) || right.matches(r) }}
	}
	return left, err
}

func (p *jqlParser) and() (condition, error) {
	left, err := p.not()
	for err == nil && p.accept("and") {
		var right condition
		right, err = p.not()
		left = both(left, right)
	}
	return left, err
}

// both joins two conditions, and their later bounds.
func both(a, b condition) condition {
	joined := condition{matches: func(r row) bool { return a.matches(r) && b.matches(r) }, bounds: a.bounds}
	if b.bounds.created.After(joined.bounds.created) {
		joined.bounds.created = b.bounds.created
	}
	if b.bounds.updated.After(joined.bounds.updated) {
		joined.bounds.updated = b.bounds.updated
	}
	return joined
}

func (p *jqlParser) not() (condition, error) {
	if p.accept("not") {
		c, err := p.not()
		return condition{matches: func(r row) bool { return !c.matches(r) }}, err
	}
	if !p.accept("(") {
		return p.clause()
	}
	c, err := p.or()
	if err != nil {
		return c, err
	}
	return c, p.expect(")")
}

// clause parses field, operator and operands.
func (p *jqlParser) clause() (condition, error) {
	field, err := p.take()
	if err != nil {
		return condition{}, err
	}
	operator, err := p.operator()
	if err != nil {
		return condition{}, err
	}
	operands, err := p.operands(operator)
	if err != nil {
		return condition{}, err
	}
	return p.reader.clause(strings.ToLower(field.text), operator, operands)
}

func (p *jqlParser) operator() (string, error) {
	next, err := p.take()
	if err != nil {
		return "", err
	}
	operator := strings.ToLower(next.text)
	if operator == "not" {
		return "not in", p.expect("in")
	}
	if next.quoted || !slices.Contains([]string{"=", "!=", "<", "<=", ">", ">=", "in"}, operator) {
		return "", badRequest("Error in the JQL Query: Expecting operator but got '%s'.", next.text)
	}
	return operator, nil
}

func (p *jqlParser) operands(operator string) ([]token, error) {
	if !strings.HasSuffix(operator, "in") {
		one, err := p.take()
		return []token{one}, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var list []token
	for {
		next, err := p.take()
		if err != nil {
			return nil, err
		}
		list = append(list, next)
		if p.accept(")") {
			return list, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

func (p *jqlParser) orderBy() (terms []orderTerm, err error) {
	if err := p.expect("by"); err != nil {
		return nil, err
	}
	for {
		field, err := p.take()
		if err != nil {
			return nil, err
		}
		term := orderTerm{field: strings.ToLower(field.text)}
		if orders[term.field] == nil {
			return nil, badRequest("Field '%s' does not exist or this field cannot be used for sorting.", field.text)
		}
		if term.descending = p.accept("desc"); !term.descending {
			p.accept("asc")
		}
		if terms = append(terms, term); len(terms) > maxOrderTerms {
			return nil, badRequest("The maximum number of ORDER BY fields is %d.", maxOrderTerms)
		}
		if !p.accept(",") {
			return terms, nil
		}
	}
}

// badRequest returns the error of a request that Jira does not accept.
func badRequest(format string, args ...any) error {
	return &restError{status: 400, message: fmt.Sprintf(format, args...)}
}
