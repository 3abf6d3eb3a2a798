package jirareceiver

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// The headers of a delivery, documented at https://developer.atlassian.com/cloud/jira/platform/webhooks/.
const (
	headerDeliveryID = "X-Atlassian-Webhook-Identifier"
	headerRetryCount = "X-Atlassian-Webhook-Retry"
	headerFlow       = "X-Atlassian-Webhook-Flow"
)

func (h *handler) newDelivery(r *http.Request, received time.Time, body []byte) record.Delivery {
	d := record.Delivery{
		ID:       r.Header.Get(headerDeliveryID),
		Flow:     r.Header.Get(headerFlow),
		Received: received,
		Body:     body,
		Extra:    h.extra(r.URL),
	}
	if count, err := strconv.ParseInt(r.Header.Get(headerRetryCount), 10, 64); err == nil {
		d.RetryCount = &count
	}
	return d
}

// queryAttribute is a parameter of the query that becomes an attribute.
type queryAttribute struct{ parameter, attribute string }

func newQueryAttributes(configured map[string]string) []queryAttribute {
	var attributes []queryAttribute
	for _, parameter := range slices.Sorted(maps.Keys(configured)) {
		attributes = append(attributes, queryAttribute{parameter, configured[parameter]})
	}
	return attributes
}

// extra returns what the query tells, as far as the configuration asks for it.
func (h *handler) extra(u *url.URL) []record.Attribute {
	if len(h.queryAttributes) == 0 || u.RawQuery == "" {
		return nil
	}
	query := u.Query()
	attributes := make([]record.Attribute, 0, len(h.queryAttributes))
	for _, a := range h.queryAttributes {
		attributes = append(attributes, record.Attribute{Key: a.attribute, Value: query.Get(a.parameter)})
	}
	return attributes
}
