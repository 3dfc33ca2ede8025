-- Stands in for rspamd's rules/rspamd.lua: what its modules expect, and no rules.
require "global_functions" ()
config['regexp'] = {}
rspamd_maps = {}
