// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"strconv"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// ClientStore is a [Store] in a storage extension. Its keys are page-0, page-1 and so on.
type ClientStore struct{ client storage.Client }

var _ Store = (*ClientStore)(nil)

// NewClientStore returns the Store of a client, which it closes.
func NewClientStore(client storage.Client) *ClientStore { return &ClientStore{client} }

// Load returns the value of a page, or nil if the storage does not contain the page.
func (s *ClientStore) Load(ctx context.Context, page int) ([]byte, error) {
	return s.client.Get(ctx, pageKey(page))
}

// Save sets the pages in one batch.
func (s *ClientStore) Save(ctx context.Context, pages map[int][]byte) error {
	operations := make([]*storage.Operation, 0, len(pages))
	for page, content := range pages {
		operations = append(operations, storage.SetOperation(pageKey(page), content))
	}
	return s.client.Batch(ctx, operations...)
}

// Close closes the client.
func (s *ClientStore) Close(ctx context.Context) error { return s.client.Close(ctx) }

func pageKey(page int) string { return "page-" + strconv.Itoa(page) }
