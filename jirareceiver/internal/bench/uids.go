// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"sync"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// uidCounter counts the records of each uid. It is safe for concurrent use.
type uidCounter struct {
	mu                  sync.Mutex
	seen                map[[16]byte]struct{} // starts of the hashes of the uids
	repairs, repetition int
}

func newUIDCounter() *uidCounter { return &uidCounter{seen: map[[16]byte]struct{}{}} }

// add adds the records of an ExportLogsServiceRequest.
func (c *uidCounter) add(body []byte) error {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.Logs().ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				uid, _ := record.Attributes().Get("log.record.uid")
				sum := sha256.Sum256([]byte(uid.Str()))
				key := [16]byte(sum[:])
				if _, found := c.seen[key]; found {
					c.repetition++
				}
				c.seen[key] = struct{}{}
				if source, _ := record.Attributes().Get("jira.webhook.source"); source.Str() == "repair" {
					c.repairs++
				}
			}
		}
	}
	return nil
}

// distinct returns the number of uids.
func (c *uidCounter) distinct() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// doubled returns the number of records whose uid another record has had before.
func (c *uidCounter) doubled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.repetition
}

// repaired returns the number of records of the repair.
func (c *uidCounter) repaired() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.repairs
}
