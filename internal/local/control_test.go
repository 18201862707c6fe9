package local

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/ecssim"
)

func TestAlarmsAndImagesAreChangedByHand(t *testing.T) {
	s, err := Start(t.Context(), Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreMemory, Log: quiet})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(t.Context())) })
	call := func(method, path, body string) (status int, text string) {
		request, err := http.NewRequestWithContext(t.Context(), method, s.ECSURL()+path, strings.NewReader(body))
		require.NoError(t, err)
		answer, err := s.http.Do(request)
		require.NoError(t, err)
		defer answer.Body.Close()
		raw, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(raw)
	}
	states := func() map[string]string {
		states, err := alarms.States(t.Context(), &s.alarms, []string{"errors"})
		require.NoError(t, err)
		return states
	}
	require.Equal(t, map[string]string{"errors": ""}, states())
	status, _ := call(http.MethodPut, "/local/alarms/errors", `{"state": "ALARM"}`)
	require.Equal(t, http.StatusNoContent, status)
	require.Equal(t, map[string]string{"errors": "ALARM"}, states())
	status, text := call(http.MethodPut, "/local/alarms/errors", `{"state": "RED"}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "state \"RED\": allowed are OK, ALARM, INSUFFICIENT_DATA\n", text)
	status, _ = call(http.MethodDelete, "/local/alarms/errors", "")
	require.Equal(t, http.StatusNoContent, status)
	require.Equal(t, map[string]string{"errors": ""}, states())

	status, text = call(http.MethodPut, "/local/images", `{"failPull": true}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "image is missing")
	status, text = call(http.MethodPut, "/local/images", `{"imag": "x"}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, `unknown field "imag"`)
	status, _ = call(http.MethodPut, "/local/images", `{"image": "example.com/x:1", "failPull": true, "crashAfterSeconds": 2}`)
	require.Equal(t, http.StatusNoContent, status)
	require.Equal(t, ecssim.ImageFault{FailPull: true, CrashAfter: 2e9}, imageFault{FailPull: true, CrashAfterSeconds: 2}.fault())

	status, _ = call(http.MethodGet, "/local/images", "")
	require.Equal(t, http.StatusMethodNotAllowed, status)
}
