package httpapi_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

// filled is a filter with every field set.
func filled[F any](t *testing.T) (filter F) {
	v := reflect.ValueOf(&filter).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Interface().(type) {
		case string:
			field.SetString("x")
		case time.Time:
			field.Set(reflect.ValueOf(start))
		case *bool:
			field.Set(reflect.ValueOf(new(true)))
		case []string:
			field.Set(reflect.ValueOf([]string{"x", "y:z"}))
		default:
			require.Fail(t, "no value for "+v.Type().Field(i).Name)
		}
	}
	return filter
}

// The client of the API can ask for all that the API can be asked for.
func TestTheClientHasEveryParameter(t *testing.T) {
	a := newAPI(t)
	var asked url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()
		a.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(client.Options{Endpoint: server.URL})
	require.NoError(t, err)
	document := decode(t, a.get("/v1/openapi.json").body)
	options := client.PageOptions{Limit: 1, NextToken: "x", Sort: "createdAt", Fields: []string{"taskARN"}}
	for path, call := range map[string]func() error{
		"/v1/tasks": func() error {
			_, err := c.ListTasksPage(t.Context(), filled[client.TaskFilter](t), options)
			return err
		},
		"/v1/instances": func() error {
			_, err := c.ListInstancesPage(t.Context(), filled[client.InstanceFilter](t), options)
			return err
		},
	} {
		require.NotContains(t, call().Error(), "not supported here", "it is refused for other reasons")
		require.ElementsMatch(t, parameters(t, document, path), slices.Collect(maps.Keys(asked)))
	}
}
