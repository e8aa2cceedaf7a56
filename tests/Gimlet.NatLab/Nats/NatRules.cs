namespace Gimlet.NatLab.Nats;

/// <summary>
/// The nftables text of each <see cref="NatKind"/>. Loading it replaces everything that was there, mappings included.
/// <para>
/// Linux alone offers no endpoint-independent NAT: masquerade shares a port between two inside hosts and decides per destination. Here two
/// maps, inside endpoint to outside port and back, are the NAT's mappings: the first packet of an inside endpoint takes the next free port, and what
/// conntrack then did is written into both maps (chain <c>remember</c>). Later flows look their port up.
/// </para>
/// <para>
/// What was not asked for is dropped before translation and before conntrack confirms it (chain <c>arrive</c>). Otherwise a peer's early check would own
/// the address pair and the inside host's own packet would leave from another port than the punched one.
/// </para>
/// </summary>
internal static class NatRules
{
    internal static string For(NatSettings nat) => "flush ruleset\n" + nat.Kind switch
    {
        NatKind.None => "",
        NatKind.Firewall => Firewall,
        NatKind.FullCone => EndpointIndependent(nat, arrive: ""),
        NatKind.RestrictedCone => EndpointIndependent(nat, """iifname "wan" ct state new meta l4proto udp ip saddr . udp dport != @spoken_to drop"""),
        NatKind.PortRestricted => EndpointIndependent(nat, """iifname "wan" ct state new meta l4proto udp drop"""),
        NatKind.Symmetric => PerDestination(nat, $"snat to {nat.Outside}:1024-65535 fully-random", forward: ""),
        NatKind.SequentialSymmetric => PerDestination(nat, $"snat to {NextPort(nat)}", forward: ""),
        NatKind.UdpBlocked => PerDestination(nat, $"snat to {nat.Outside}:1024-65535 fully-random", forward: "meta l4proto udp drop"),
        _ => throw new ArgumentOutOfRangeException(nameof(nat), nat.Kind, "No rules for this kind."),
    };

    /// <summary>A router that is off: nothing passes, and conntrack sees nothing.</summary>
    internal const string Off = """
        flush ruleset
        table inet off {
          chain arrive {
            type filter hook prerouting priority raw; policy drop;
          }
        }
        """;

    private const string Firewall = """
        table inet filter {
          chain arrive {
            type filter hook prerouting priority mangle; policy accept;
            iifname "wan" ct state invalid drop
            iifname "wan" ct state new meta l4proto { tcp, udp } drop
          }
        }
        """;

    private static string EndpointIndependent(NatSettings nat, string arrive) => $$"""
        table ip nat {
          map outside_of {
            type ipv4_addr . inet_service : ipv4_addr . inet_service
            flags dynamic,timeout; timeout {{nat.MappingSeconds}}s; size 65535
          }
          map inside_of {
            type inet_service : ipv4_addr . inet_service
            flags dynamic,timeout; timeout {{nat.MappingSeconds}}s; size 65535
          }
          set spoken_to {
            type ipv4_addr . inet_service
            flags dynamic,timeout; timeout {{nat.MappingSeconds}}s; size 65535
          }
          chain arrive {
            type filter hook prerouting priority mangle; policy accept;
            iifname "wan" ct state invalid drop
            iifname "wan" ct state new meta l4proto tcp drop
            {{arrive}}
          }
          chain translate_destination {
            type nat hook prerouting priority dstnat; policy accept;
            iifname "wan" dnat to udp dport map @inside_of
            {{(nat.Hairpin ? $"iifname \"lan\" ip daddr {nat.Outside} dnat to udp dport map @inside_of" : "")}}
          }
          chain to_the_router_itself {
            type filter hook input priority filter; policy accept;
            iifname "wan" meta l4proto { tcp, udp } drop
            iifname "lan" ip daddr {{nat.Outside}} meta l4proto udp drop
          }
          chain translate_source {
            type nat hook postrouting priority srcnat; policy accept;
            oifname "lan" ct status dnat iifname "lan" goto take_mapping
            oifname "wan" meta l4proto udp goto take_mapping
            oifname "wan" snat to {{nat.Outside}}
          }
          chain take_mapping {
            snat to ip saddr . udp sport map @outside_of
            meta l4proto udp snat to {{NextPort(nat)}}
          }
          chain remember {
            type filter hook postrouting priority srcnat + 10; policy accept;
            oifname "wan" meta l4proto udp goto refresh
            oifname "lan" iifname "lan" ct status dnat goto refresh
          }
          chain refresh {
            meta l4proto udp ct direction original update @inside_of { udp sport : ct original ip saddr . ct original proto-src }
            meta l4proto udp ct direction original update @outside_of { ct original ip saddr . ct original proto-src : ip saddr . udp sport }
            meta l4proto udp ct direction reply update @inside_of { udp sport : ct reply ip saddr . ct reply proto-src }
            meta l4proto udp ct direction reply update @outside_of { ct reply ip saddr . ct reply proto-src : ip saddr . udp sport }
            update @spoken_to { ip daddr . udp sport }
          }
        }
        """;

    private static string PerDestination(NatSettings nat, string translation, string forward) => $$"""
        table ip nat {
          chain arrive {
            type filter hook prerouting priority mangle; policy accept;
            iifname "wan" ct state invalid drop
            iifname "wan" ct state new meta l4proto { tcp, udp } drop
          }
          chain pass {
            type filter hook forward priority filter; policy accept;
            {{forward}}
          }
          chain to_the_router_itself {
            type filter hook input priority filter; policy accept;
            iifname "lan" ip daddr {{nat.Outside}} meta l4proto udp drop
          }
          chain translate_source {
            type nat hook postrouting priority srcnat; policy accept;
            oifname "wan" meta l4proto udp {{translation}}
            oifname "wan" snat to {{nat.Outside}} fully-random
          }
        }
        """;

    /// <summary>A counter that is looked up in a table: nft 1.0 puts a bare counter into the packet in host byte order, which gives ports 256 apart.</summary>
    private static string NextPort(NatSettings nat)
    {
        var ports = string.Join(", ", Enumerable.Range(0, NatSettings.PortCount).Select(index => $"{index} : {nat.PortBase + index}"));
        return $"{nat.Outside}:numgen inc mod {NatSettings.PortCount} map {{ {ports} }}";
    }
}
