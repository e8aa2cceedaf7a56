namespace Gimlet.Server.Workers;

/// <summary>
/// Who is paired with whom, by name: a partner need not be known here (yet). Usually both halves name each other; one that claims a partner who is somebody
/// else's is paired by itself alone.
/// </summary>
internal sealed class WorkerPairs
{
    private readonly Dictionary<string, string> _partners = new(StringComparer.Ordinal);

    /// <summary>Names that are paired.</summary>
    public int Count => _partners.Count;

    public bool Contains(string id) => _partners.ContainsKey(id);

    public string? PartnerOf(string id) => _partners.GetValueOrDefault(id);

    /// <summary>Pairs two that are free.</summary>
    public void Add(string one, string other)
    {
        _partners.Add(one, other);
        _partners.Add(other, one);
    }

    /// <summary>Pairs one by itself: what its partner is paired with stays.</summary>
    public void AddHalf(string one, string other) => _partners.Add(one, other);

    /// <summary>Frees one by itself.</summary>
    public void RemoveHalf(string id) => _partners.Remove(id);

    /// <summary>Ends the pairing of a name.</summary>
    /// <returns>The other half that is free by it; null when there is none.</returns>
    public string? Remove(string id) =>
        _partners.Remove(id, out string? partner) && _partners.TryGetValue(partner, out string? back) && back == id && _partners.Remove(partner) ? partner : null;
}
