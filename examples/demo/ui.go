// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	_ "embed"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"
)

// view is a page of the UI: the table of the results of a query. The UI sorts the columns by name, and makes the first
// one wide.
type view struct {
	path, label string
	query       string
	columns     string // default: all
	hasChart    bool   // of the number of events over time
}

// views are the pages of the demo.
var views = []view{
	{
		path: "/events", label: "Events", hasChart: true,
		query:   "*",
		columns: "_time,_msg,event_name,jira.project.key,jira.issue.key,jira.issue.status.mapped",
	},
	{
		path: "/board", label: "Board",
		query: "event_name:in(jira.issue.created, jira.issue.updated, jira.issue.deleted)" +
			" | last 1 by (_time) partition by (jira.issue.id)" +
			" | filter !event_name:=jira.issue.deleted !jira.issue.status.mapped:in(done, canceled)" +
			" | rename jira.project.key project, jira.issue.status.name status, jira.issue.key key" +
			" | stats by (project, status) uniq_values(key) issues, count() number" +
			" | sort by (project, status)",
	},
	{
		path: "/stuck", label: "Stuck issues",
		query: "event_name:in(jira.issue.stuck, jira.issue.unstuck)" +
			" | last 1 by (_time) partition by (jira.issue.id)" +
			" | filter event_name:=jira.issue.stuck" +
			" | rename jira.issue.key issue, jira.issue.status.since since, jira.issue.status.name status," +
			" jira.issue.assigned with_assignee, jira.issue.flagged with_flag" +
			" | sort by (since) | fields _msg, issue, since, status, with_assignee, with_flag",
	},
	{
		path: "/times", label: "Lead and cycle time",
		query: "event_name:=jira.issue.lifecycle | rename jira.project.key project" +
			" | math round(jira.issue.lead_time_seconds / 3600) lead, round(jira.issue.cycle_time_seconds / 3600) cycle" +
			" | stats by (project) count() resolved, median(cycle) time_cycle_p50, quantile(0.85, cycle) time_cycle_p85," +
			" median(lead) time_lead_p50, quantile(0.85, lead) time_lead_p85" +
			" | sort by (project)",
	},
}

// address returns where the UI of VictoriaLogs shows a view.
func (v *view) address() string {
	values := url.Values{
		"query": {v.query}, "view": {"table"}, "limit": {"200"}, "group_hits": {"event_name"},
		"g0.relative_time": {"last_30_days"}, "g0.range_input": {"30d"},
	}
	if v.columns != "" {
		values.Set("columns", v.columns)
	}
	if !v.hasChart {
		values.Set("hide_chart", strconv.FormatBool(true))
		values.Set("g0.relative_time", "last_90_days")
		values.Set("g0.range_input", "90d")
	}
	return "/select/vmui/#/?" + values.Encode()
}

// settings is a script for the UI, which keeps neither its time zone nor its refresh in the address.
//
//go:embed settings.html
var settings []byte

// index is the path of the page of the UI.
const index = "/select/vmui/"

// serveUI serves VictoriaLogs at another address, with a short path for each view.
func serveUI(backend string) http.Handler {
	mux := http.NewServeMux()
	for _, v := range views {
		mux.Handle("GET "+v.path, http.RedirectHandler(v.address(), http.StatusFound))
	}
	mux.Handle("GET /{$}", http.RedirectHandler(views[0].path, http.StatusFound))
	mux.Handle("/", buffered(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: backend})
			r.Out.Header.Del("Accept-Encoding") // addSettings reads text
		},
		ModifyResponse: addSettings,
	}))
	return mux
}

// buffered reads the body of a request before a proxy sends it. Otherwise the response can begin while the proxy still
// looks for the end of the body: then the server closes the body, and the proxy cuts the response.
func buffered(proxy http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	})
}

// addSettings adds the script to the page of the UI.
func addSettings(response *http.Response) error {
	if response.Request.URL.Path != index || response.StatusCode != http.StatusOK {
		return nil
	}
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	head := []byte("<head>")
	page = bytes.Replace(page, head, append(head, settings...), 1)
	response.Body = io.NopCloser(bytes.NewReader(page))
	response.ContentLength = int64(len(page))
	response.Header.Set("Content-Length", strconv.Itoa(len(page)))
	return nil
}

// startUI serves the UI until the returned function is called.
func (d *demo) startUI(ctx context.Context) (stop func(), err error) {
	listener, err := listen(ctx, d.ui)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: serveUI(d.database), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // returns when stop is called
	return func() { _ = server.Close() }, nil  // nothing is lost
}
