package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// maxTokenLength is well beyond what encodeToken makes: a cluster's key and an id, each of at most 255 characters.
const maxTokenLength = 2048

// pageToken is what a nextToken says. It is not secret and not signed: whatever it says only chooses where a list that
// the caller may read goes on.
type pageToken struct {
	// List binds the token to one list with its filters: going on in another list from here would skip things.
	List string `json:"l"`
	// Cluster, Stage, At and ID are a table.Position.
	Cluster string `json:"c,omitempty"`
	Stage   int    `json:"s,omitempty"`
	At      int64  `json:"t,omitempty"`
	// ID is the last thing of the page before: an id, or an environment's name.
	ID string `json:"i,omitempty"`
	// EntityVersion is the position in the feed that was read before the list's first page: whoever watches after the
	// last page must go on from there, for the first pages are older than the last one.
	EntityVersion string `json:"v,omitempty"`
}

// listFingerprint names a list with its filters in few characters.
func listFingerprint(kind string, filters ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{kind}, filters...), "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func encodeToken(t pageToken) (string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("encoding a nextToken: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

var (
	errTokenMalformed = errors.New("not a token that this API gave: repeat the list without nextToken")
	errTokenForeign   = errors.New("from a list with other filters or another order: repeat that list's query, or leave nextToken out")
)

// decodeToken reads what encodeToken wrote, for the list of that fingerprint.
func decodeToken(token, list string) (pageToken, error) {
	if len(token) > maxTokenLength {
		return pageToken{}, errTokenMalformed
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return pageToken{}, errTokenMalformed
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var t pageToken
	if err := decoder.Decode(&t); err != nil || t.List == "" {
		return pageToken{}, errTokenMalformed
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return pageToken{}, errTokenMalformed
	}
	if t.List != list {
		return pageToken{}, errTokenForeign
	}
	return t, nil
}

// tokenOfPosition is the token of the page at p of a list that began at an entityVersion; empty at the end.
func tokenOfPosition(list, entityVersion string, p table.Position) (string, error) {
	if p.IsZero() {
		return "", nil
	}
	return encodeToken(pageToken{List: list, Cluster: p.Cluster.String(), Stage: p.Stage, At: p.At, ID: p.ID, EntityVersion: entityVersion})
}

// maxIDLength is ECS's limit for ids and names.
const maxIDLength = 255

// positionOf reads a token of a list of tasks or container instances: where it goes on, and where it began. An empty one
// is the beginning.
func positionOf(token, list string) (at table.Position, entityVersion string, err error) {
	if token == "" {
		return table.Position{}, "", nil
	}
	t, err := decodeToken(token, list)
	if err != nil {
		return table.Position{}, "", err
	}
	cluster, err := state.ParseClusterKey(t.Cluster)
	if err != nil || t.Stage < 0 || t.At < 0 || len(t.ID) > maxIDLength {
		return table.Position{}, "", errTokenMalformed
	}
	if _, err := table.ParseFeedPosition(t.EntityVersion); err != nil {
		return table.Position{}, "", errTokenMalformed
	}
	return table.Position{Cluster: cluster, Stage: t.Stage, At: t.At, ID: t.ID}, t.EntityVersion, nil
}

// nameAfter reads a token of a list that goes by one name or id; an empty one is the beginning.
func nameAfter(token, list string) (string, error) {
	if token == "" {
		return "", nil
	}
	t, err := decodeToken(token, list)
	if err != nil {
		return "", err
	}
	if t.ID == "" || len(t.ID) > maxIDLength {
		return "", errTokenMalformed
	}
	return t.ID, nil
}
