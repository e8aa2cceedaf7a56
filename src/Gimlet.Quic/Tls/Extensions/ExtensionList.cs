namespace Gimlet.Quic.Tls.Extensions;

/// <summary>One extension: its number and its body.</summary>
internal readonly ref struct Extension(ExtensionType type, ReadOnlySpan<byte> body)
{
    public ExtensionType Type { get; } = type;

    public ReadOnlySpan<byte> Body { get; } = body;
}

/// <summary>A block of extensions that is known to be well-formed: whole, bounded and without duplicates.</summary>
internal readonly ref struct ExtensionList
{
    private readonly ReadOnlySpan<byte> _block;

    private ExtensionList(ReadOnlySpan<byte> block)
    {
        _block = block;
    }

    /// <summary>Checks a block; nothing else looks at its structure again.</summary>
    public static TlsError? Parse(ReadOnlySpan<byte> block, TlsLimits limits, out ExtensionList list)
    {
        list = default;
        var reader = new TlsReader(block);
        Span<ushort> seen = stackalloc ushort[limits.MaxExtensions];
        int count = 0;
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadEntry(out ushort type, out _))
            {
                return TlsAlert.DecodeError.Because("an extension is cut short");
            }

            if (count == seen.Length)
            {
                return TlsAlert.DecodeError.Because($"more than {limits.MaxExtensions} extensions");
            }

            // RFC 8446 section 4.2: "There MUST NOT be more than one extension of the same type in a given extension block."
            if (seen[..count].Contains(type))
            {
                return TlsAlert.IllegalParameter.Because("the same extension twice");
            }

            seen[count++] = type;
        }

        list = new ExtensionList(block);
        return null;
    }

    public bool Contains(ExtensionType type) => TryFind(type, out _);

    public bool TryFind(ExtensionType type, out ReadOnlySpan<byte> body)
    {
        foreach (Extension extension in this)
        {
            if (extension.Type == type)
            {
                body = extension.Body;
                return true;
            }
        }

        body = default;
        return false;
    }

    public Enumerator GetEnumerator() => new(_block);

    /// <summary>Walks over a checked block.</summary>
    internal ref struct Enumerator(ReadOnlySpan<byte> block)
    {
        private TlsReader _reader = new(block);

        public Extension Current { get; private set; }

        /// <summary>True when there is nothing after <see cref="Current"/>.</summary>
        public readonly bool IsLast => _reader.IsEmpty;

        public bool MoveNext()
        {
            if (!_reader.TryReadEntry(out ushort type, out ReadOnlySpan<byte> body))
            {
                return false;
            }

            Current = new Extension((ExtensionType)type, body);
            return true;
        }
    }
}
