// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// connection sends one body again and again. It is not an [http.Client], because that needs several times the CPU, and
// the sender shares the machine with the contenders.
type connection struct {
	address string
	request []byte
	id      []byte   // the delivery ID, in request
	conn    net.Conn // nil if the next request needs a new one
	reader  *bufio.Reader
}

// newConnections returns connections to a server, which they open with their first requests.
func newConnections(address string, l load) []*connection {
	signed := signature.Sign([]byte(secret), l.body)
	connections := make([]*connection, l.connections)
	for i := range connections {
		connections[i] = newConnection(address, l.body, signed)
	}
	return connections
}

func newConnection(address string, body []byte, signed string) *connection {
	var request bytes.Buffer
	fmt.Fprintf(&request, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json; charset=UTF-8\r\n%s: %s\r\nContent-Length: %d\r\nX-Atlassian-Webhook-Identifier: ",
		path, address, signature.Header, signed, len(body))
	id, length := request.Len(), len(rand.Text())
	request.WriteString(rand.Text() + "\r\n\r\n")
	request.Write(body)
	return &connection{address: address, request: request.Bytes(), id: request.Bytes()[id : id+length]}
}

// errNoAnswer is the error of a server that closes the connection before it answers.
var errNoAnswer = errors.New("no answer")

// post sends a delivery. It returns an error unless the server accepts it. Between two windows, a server may close an
// idle connection.
func (c *connection) post() error {
	copy(c.id, rand.Text())
	mayBeClosed := c.conn != nil
	err := c.attempt()
	if mayBeClosed && errors.Is(err, errNoAnswer) {
		err = c.attempt()
	}
	return err
}

func (c *connection) attempt() error {
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.address) //nolint:noctx // a delivery that has started is finished
		if err != nil {
			return err
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	keep, err := c.exchange()
	if !keep {
		c.close()
	}
	return err
}

// exchange reports whether the connection can be used again.
func (c *connection) exchange() (keep bool, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(waitTimeout)); err != nil {
		return false, err
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return false, errNoAnswer
	}
	if _, err := c.reader.Peek(1); err != nil {
		return false, errNoAnswer
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, err
	}
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("responded with %s", response.Status)
	}
	return !response.Close, err
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}
