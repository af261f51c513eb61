package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"
)

// object is one of JSON.
type object map[string]any

// The grid of a dashboard is 24 columns wide.
const (
	columns     = 3
	panelWidth  = 24 / columns
	panelHeight = 8
)

var source = object{"type": "prometheus", "uid": "${datasource}"}

// printDashboard prints the dashboard as Grafana imports it.
func printDashboard(out io.Writer) error {
	text, err := json.MarshalIndent(object{
		"title": "Cobalt operator", "uid": "cobalt-operator", "tags": []string{"cobalt", "kubernetes"},
		"schemaVersion": 39, "version": 1, "editable": true, "graphTooltip": 1, "refresh": "1m", "timezone": "",
		"time":       object{"from": "now-6h", "to": "now"},
		"templating": object{"list": variables()},
		"panels":     layOut(dashboard),
	}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(text))
	return err
}

func variables() []object {
	return []object{
		{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
		{
			"name": "environment", "label": "Environment", "type": "query", "datasource": source, "refresh": 2, "sort": 1,
			"query":      object{"query": "label_values(cobalt_environment_open, environment)", "refId": "environment"},
			"includeAll": true, "multi": true, "allValue": ".*", "current": object{"text": "All", "value": "$__all"},
		},
	}
}

// layOut puts each row's panels side by side under its heading.
func layOut(rows []row) []object {
	var panels []object
	y := 0
	for _, row := range rows {
		panels = append(panels, object{
			"id": len(panels) + 1, "type": "row", "title": row.title, "collapsed": false, "panels": []object{},
			"gridPos": object{"x": 0, "y": y, "w": 24, "h": 1},
		})
		y++
		for i, panel := range row.panels {
			drawn := draw(panel)
			drawn["id"] = len(panels) + 1
			drawn["gridPos"] = object{"x": i % columns * panelWidth, "y": y + i/columns*panelHeight, "w": panelWidth, "h": panelHeight}
			panels = append(panels, drawn)
		}
		y += (len(row.panels) + columns - 1) / columns * panelHeight
	}
	return panels
}

func draw(p panel) object {
	var targets []object
	for i, query := range p.queries {
		targets = append(targets, object{
			"refId": string(rune('A' + i)), "datasource": source, "editorMode": "code", "range": true,
			"expr": query.expr, "legendFormat": query.legend,
		})
	}
	return object{
		"type": "timeseries", "title": p.title, "description": p.help, "datasource": source, "targets": targets,
		"fieldConfig": object{"defaults": object{"unit": p.unit, "min": 0}, "overrides": []object{}},
		"options":     object{"legend": object{"displayMode": "list", "placement": "bottom"}, "tooltip": object{"mode": "multi", "sort": "desc"}},
	}
}

// printQueries prints the queries of the dashboard as recording rules, so that
// promtool can tell whether Prometheus understands them.
func printQueries(out io.Writer) error {
	var rules []object
	for _, row := range dashboard {
		for _, panel := range row.panels {
			for _, query := range panel.queries {
				expr := strings.NewReplacer("$__rate_interval", "5m", "$environment", ".*").Replace(query.expr)
				rules = append(rules, object{"record": fmt.Sprintf("dashboard:query:%d", len(rules)), "expr": expr})
			}
		}
	}
	text, err := yaml.Marshal(object{"groups": []object{{"name": "dashboard", "rules": rules}}})
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}
