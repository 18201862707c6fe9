package host

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"
)

func TestAlarmsAreDescribedInCBOR(t *testing.T) {
	c := newCloudWatch()
	ask := func(operation, protocol string, names ...string) *httptest.ResponseRecorder {
		list := cbor.List{}
		for _, name := range names {
			list = append(list, cbor.String(name))
		}
		r := httptest.NewRequest(http.MethodPost, "/service/GraniteServiceVersion20100801/operation/"+operation,
			bytes.NewReader(cbor.Encode(cbor.Map{"AlarmNames": list})))
		r.Header.Set("Smithy-Protocol", protocol)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		return w
	}
	states := func(names ...string) map[string]string {
		w := ask("DescribeAlarms", "rpc-v2-cbor", names...)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "rpc-v2-cbor", w.Header().Get("Smithy-Protocol"))
		out, err := cbor.Decode(w.Body.Bytes())
		require.NoError(t, err)
		found := map[string]string{}
		for _, alarm := range out.(cbor.Map)["MetricAlarms"].(cbor.List) {
			found[string(alarm.(cbor.Map)["AlarmName"].(cbor.String))] = string(alarm.(cbor.Map)["StateValue"].(cbor.String))
		}
		return found
	}
	require.Empty(t, states("a", "b"), "none exists")
	c.SetAlarm("a", "OK")
	c.SetAlarm("b", "OK")
	c.SetAlarm("a", "ALARM")
	require.Equal(t, map[string]string{"a": "ALARM"}, states("a", "c"))
	require.Equal(t, http.StatusNotImplemented, ask("PutMetricAlarm", "rpc-v2-cbor").Code)
	require.Equal(t, http.StatusNotImplemented, ask("DescribeAlarms", "").Code)
}
