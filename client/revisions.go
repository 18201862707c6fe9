package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Revision is one revision of an environment. It never changes.
type Revision struct {
	Number    int       `json:"number" doc:"From 1."`
	CreatedAt time.Time `json:"createdAt"`
	RevisionContent
}

// RevisionPage is a page of revisions, newest first.
type RevisionPage struct {
	Items     []Revision `json:"items" nullable:"false"`
	NextToken string     `json:"nextToken,omitempty" doc:"Give it as nextToken to get the next page."`
}

// RevisionDiff says in what two revisions of an environment differ.
type RevisionDiff struct {
	From    int              `json:"from"`
	To      int              `json:"to"`
	Changes []RevisionChange `json:"changes" nullable:"false" doc:"Sorted by path. Empty if the revisions say the same."`
}

// RevisionChange is one difference.
type RevisionChange struct {
	Path string `json:"path" doc:"The field, such as deploymentConfiguration.method. Lists are told as a whole."`
	From any    `json:"from,omitempty" doc:"Absent if the older one has no such field."`
	To   any    `json:"to,omitempty" doc:"Absent if the newer one has no such field."`
}

// ListRevisions reads all revisions of an environment, newest first. It ends after an error.
func (c *Client) ListRevisions(ctx context.Context, environment string) iter.Seq2[Revision, error] {
	return pages(func(token string) ([]Revision, string, error) {
		page, err := c.ListRevisionsPage(ctx, environment, PageOptions{NextToken: token})
		return page.Items, page.NextToken, err
	})
}

// ListRevisionsPage reads one page of ListRevisions.
func (c *Client) ListRevisionsPage(ctx context.Context, environment string, options PageOptions) (RevisionPage, error) {
	var page RevisionPage
	err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"environments", environment, "revisions"}, query: query(options, nil),
	}, &page)
	return page, err
}

// GetRevision reads one revision of an environment.
func (c *Client) GetRevision(ctx context.Context, environment string, number int) (Revision, error) {
	var out Revision
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"environments", environment, "revisions", strconv.Itoa(number)}}, &out)
	return out, err
}

// DiffRevisions compares two revisions of an environment. From 0 is the deployed one, to 0 the newest.
func (c *Client) DiffRevisions(ctx context.Context, environment string, from, to int) (RevisionDiff, error) {
	values := url.Values{}
	for name, number := range map[string]int{"from": from, "to": to} {
		if number != 0 {
			values.Set(name, strconv.Itoa(number))
		}
	}
	var out RevisionDiff
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"environments", environment, "diff"}, query: values}, &out)
	return out, err
}
