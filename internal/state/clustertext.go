package state

// MarshalText lets a cluster key be a JSON string, a map's key and a table's attribute.
func (k ClusterKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *ClusterKey) UnmarshalText(text []byte) error {
	parsed, err := ParseClusterKey(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}
